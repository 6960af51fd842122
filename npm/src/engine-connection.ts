import { Connection } from "./connection.js";
import type { Calls, Generation } from "./protocol.js";
import { hasRelaxedSimd } from "./relaxed-simd.js";
import { runtime } from "./runtime.js";

/** A worker for a model and its pictures. */
export type EngineConnection = Connection<Calls, Generation>;

export function connectEngine(): EngineConnection {
  return new Connection(runtime.startWorker("worker"));
}

/** A worker that has loaded its script, and its glue, by the time that its module is there. */
export function startEngine(): EngineConnection {
  const connection = connectEngine();
  // Where this fails, what is asked of it next does.
  connection.call("prepare", { relaxed: hasRelaxedSimd() }).catch(() => {});
  return connection;
}
