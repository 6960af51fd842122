// What each JavaScript runtime has its own way for: a browser's here, Node's in `node.ts`.
import { type Script, startWorker, type WorkerPort } from "./workers.js";

export interface Runtime {
  fetch(url: URL, signal: AbortSignal | undefined): Promise<Response>;
  /** A relative address is one beside the page, or a file's path. Throws where it is no address. */
  resolve(address: string | URL): URL;
  startWorker(script: Script): WorkerPort;
  /** Of the processor. */
  threads(): number;
}

export let runtime: Runtime = {
  fetch: (url, signal) => fetch(url, signal ? { signal } : {}),
  resolve: (address) => new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href),
  startWorker,
  threads: () => globalThis.navigator?.hardwareConcurrency ?? 1,
};

/** Takes the place of the browser's. */
export function runOn(other: Runtime): void {
  runtime = other;
}
