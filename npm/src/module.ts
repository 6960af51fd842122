import { download } from "./download.js";
import { ReidError } from "./errors.js";
import type { OnProgress } from "./progress.js";
import { hasRelaxedSimd } from "./relaxed-simd.js";

const MAX_MODULE_BYTES = 256 * 1024 ** 2;

/**
 * The WebAssembly modules: what looks at images is small; what learns, what ranks, and what reads models of other programs is
 * fetched when it is first needed.
 */
const URLS = {
  engine: hasRelaxedSimd()
    ? new URL("./wasm/webreid_relaxed_bg.wasm", import.meta.url)
    : new URL("./wasm/webreid_bg.wasm", import.meta.url),
  formats: new URL("./wasm/webreid_formats_bg.wasm", import.meta.url),
  trainer: new URL("./wasm/webreid_train_bg.wasm", import.meta.url),
  people: new URL("./wasm/webreid_people_bg.wasm", import.meta.url),
};

const compiled: Partial<Record<keyof typeof URLS, WebAssembly.Module>> = {};

/** Fetches and compiles a module, once a page: workers that are started later get the compiled module. */
export async function loadModule(
  what: keyof typeof URLS,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const known = compiled[what];
  if (known) return known;
  const url = URLS[what];
  const blob = await download(url, {
    signal,
    onBytes: (loaded, total) => onProgress?.({ phase: "download", what, loaded, total }),
    limit: { bytes: MAX_MODULE_BYTES, error: new ReidError("internal", `${url.href} is not the module "${what}".`) },
  });
  try {
    const module = await WebAssembly.compile(await blob.arrayBuffer());
    compiled[what] = module;
    return module;
  } catch (error) {
    throw new ReidError("internal", `This browser cannot compile the module "${what}". A newer browser can.`, {
      cause: error,
    });
  }
}
