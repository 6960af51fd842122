// In a thread of Node: what a browser's worker finds there, and then the worker itself.
import { parentPort, workerData } from "node:worker_threads";
import type { Script } from "./workers.js";

Object.assign(globalThis, {
  self: globalThis,
  postMessage: (message: unknown) => parentPort?.postMessage(message),
  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void) {
    // What is thrown ends the thread, and who started it hears of it.
    if (type === "message") parentPort?.on("message", (data) => listener({ data }));
  },
});

const WORKERS: Readonly<Record<Script, () => Promise<unknown>>> = {
  worker: () => import("./worker.js"),
  "formats-worker": () => import("./formats-worker.js"),
  "people-worker": () => import("./people-worker.js"),
  "trainer-worker": () => import("./trainer-worker.js"),
};

await WORKERS[workerData as Script]();
