import { addressOf } from "./assets.js";
import { type Arriving, arrive } from "./download.js";
import { abortable, abortedError, ReidError } from "./errors.js";
import type { OnProgress } from "./progress.js";
import { hasRelaxedSimd } from "./relaxed-simd.js";

const MAX_MODULE_BYTES = 256 * 1024 ** 2;

export type ModuleName = "engine" | "formats" | "trainer" | "people";

/**
 * The WebAssembly modules: what looks at images is small; what learns, what ranks, and what reads models of other programs is
 * fetched when it is first needed. What learns is over the 25 MB that some hosts take in a file, and compressed for that.
 */
const FILES = {
  engine: () =>
    hasRelaxedSimd()
      ? addressOf("wasm/webreid_relaxed_bg.wasm", new URL("./wasm/webreid_relaxed_bg.wasm", import.meta.url))
      : addressOf("wasm/webreid_bg.wasm", new URL("./wasm/webreid_bg.wasm", import.meta.url)),
  formats: () => addressOf("wasm/webreid_formats_bg.wasm", new URL("./wasm/webreid_formats_bg.wasm", import.meta.url)),
  trainer: () =>
    addressOf("wasm/webreid_train_bg.wasm.gz", new URL("./wasm/webreid_train_bg.wasm.gz", import.meta.url)),
  people: () => addressOf("wasm/webreid_people_bg.wasm", new URL("./wasm/webreid_people_bg.wasm", import.meta.url)),
};

const compiled = new Map<string, WebAssembly.Module>();

/** On their way. */
const loading = new Map<string, Promise<WebAssembly.Module>>();

/** Fetches and compiles a module, once a page: workers that are started later get the compiled module. */
export async function loadModule(
  what: ModuleName,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const url = FILES[what]();
  for (let others = loading.get(url.href); others; others = loading.get(url.href)) {
    // Whoever wants it too may give up, or fail: then it is this call's.
    await abortable(
      others.catch(() => {}),
      signal,
    );
  }
  const known = compiled.get(url.href);
  if (known) return known;
  const module = fetchModule(url, what, onProgress, signal);
  loading.set(url.href, module);
  try {
    compiled.set(url.href, await module);
    return await module;
  } finally {
    loading.delete(url.href);
  }
}

async function fetchModule(
  url: URL,
  what: ModuleName,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const file = await arrive(url, {
    signal,
    onBytes: (loaded, total) => onProgress?.({ phase: "download", what, loaded, total }),
    limit: { bytes: MAX_MODULE_BYTES, error: new ReidError("internal", `${url.href} is not the module "${what}".`) },
  });
  return compile(file, url, signal);
}

const WASM = [0, 0x61, 0x73, 0x6d];
const GZIP = [0x1f, 0x8b];

async function compile(
  { head, bytes, type, status }: Arriving,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const begins = (with_: readonly number[]) => with_.every((byte, i) => head[i] === byte);
  if (!begins(WASM) && !begins(GZIP)) {
    await bytes.cancel();
    const found = head.length === 0 ? "nothing" : `"${type || "a file of no type"}"`;
    throw new ReidError(
      "http",
      `${url.href} answered with ${found} in place of a WebAssembly module. Check what is served there.`,
      { status },
    );
  }
  try {
    const plain = begins(GZIP) ? bytes.pipeThrough(new DecompressionStream("gzip")) : bytes;
    const response = new Response(plain, { headers: { "content-type": "application/wasm" } });
    if (WebAssembly.compileStreaming) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    // What broke off the download comes through as it is.
    throw error instanceof ReidError ? error : await notCompiled(url, error);
  }
}

/** The smallest module there is. */
const EMPTY = new Uint8Array([...WASM, 1, 0, 0, 0]);

async function notCompiled(url: URL, cause: unknown): Promise<ReidError> {
  try {
    await WebAssembly.compile(EMPTY);
  } catch (error) {
    return new ReidError(
      "blocked",
      "The page's content security policy forbids WebAssembly: add 'wasm-unsafe-eval' to its `script-src`.",
      { cause: error },
    );
  }
  return new ReidError(
    "internal",
    `${url.href} cannot be compiled: it came damaged, or this browser is too old for it.`,
    {
      cause,
    },
  );
}
