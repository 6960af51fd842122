// The package's entry in Node: files by their paths, workers as threads, the CPU.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { ReidError } from "./errors.js";
import { runOn } from "./runtime.js";
import type { Script, WorkerPort } from "./workers.js";

export * from "./index.js";

runOn({
  fetch: async (url, signal) => (url.protocol === "file:" ? fileAt(url) : fetch(url, signal ? { signal } : {})),
  resolve: (address) => (isUrl(address) ? new URL(address) : pathToFileURL(String(address))),
  startWorker,
  threads: availableParallelism,
});

/** `C:\photos` is a path. */
function isUrl(address: string | URL): boolean {
  return address instanceof URL || /^[a-z][a-z0-9+.-]+:/i.test(address);
}

async function fileAt(url: URL): Promise<Response> {
  try {
    const content = await readFile(url);
    return new Response(content, { headers: { "content-length": String(content.byteLength) } });
  } catch (error) {
    const { code } = error as { code?: string };
    const what = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : String(error);
    throw new ReidError("network", `${fileURLToPath(url)} cannot be read: ${what}.`, { cause: error });
  }
}

function startWorker(script: Script): WorkerPort {
  // The program's own arguments (`--input-type`, loaders) are none of its workers'.
  const options = { name: script, workerData: script, execArgv: [] };
  const worker = new Worker(new URL("./node-worker.js", import.meta.url), options);
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer as never),
    addEventListener(type: string, listener: (event: never) => void) {
      if (type === "message") worker.on("message", (data) => listener({ data } as never));
      else if (type === "error") worker.on("error", (error) => listener({ message: error.message } as never));
      else worker.on("messageerror", () => listener(undefined as never));
    },
    terminate: () => void worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}
