import { Connection } from "./connection.js";
import type { Calls, Generation } from "./protocol.js";
import { runtime } from "./runtime.js";

/** A worker for a model and its pictures. */
export type EngineConnection = Connection<Calls, Generation>;

export function connectEngine(): EngineConnection {
  return new Connection(runtime.startWorker("worker"));
}
