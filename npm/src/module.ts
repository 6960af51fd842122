import { download } from "./download.js";
import { ReidError } from "./errors.js";
import type { OnProgress } from "./progress.js";

const MAX_MODULE_BYTES = 256 * 1024 ** 2;

let compiled: WebAssembly.Module | undefined;

/** Fetches and compiles the engine, once a page: workers that are started later get the compiled module. */
export async function loadModule(
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  if (compiled) return compiled;
  const url = new URL("./wasm/webreid_bg.wasm", import.meta.url);
  const blob = await download(url, {
    signal,
    onBytes: (loaded, total) => onProgress?.({ phase: "download", what: "engine", loaded, total }),
    limit: { bytes: MAX_MODULE_BYTES, error: new ReidError("internal", `${url.href} is not the engine.`) },
  });
  try {
    compiled = await WebAssembly.compile(await blob.arrayBuffer());
  } catch (error) {
    throw new ReidError("internal", "This browser cannot compile the engine's WebAssembly. A newer browser can.", {
      cause: error,
    });
  }
  return compiled;
}
