import { Connection } from "./connection.js";
import type { Calls, Generation } from "./protocol.js";

/** A worker for a model and its pictures. */
export type EngineConnection = Connection<Calls, Generation>;

export function connectEngine(): EngineConnection {
  return new Connection(new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "webreid" }));
}
