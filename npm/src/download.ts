import { abortedError, ReidError, throwIfAborted } from "./errors.js";
import { runtime } from "./runtime.js";

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((loaded: number, total: number | undefined) => void) | undefined;
  /** Gives up past this many bytes. */
  readonly limit: { readonly bytes: number; readonly error: ReidError };
}

/** A file that is arriving. */
export interface Arriving {
  /** Its first bytes: enough to see what it is, unless it has no more. */
  readonly head: Uint8Array;
  /** Those, and all others. Fails as `download` does. */
  readonly bytes: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly type: string;
  readonly status: number;
}

const HEAD_BYTES = 16;

/** Fetches a file, counting its bytes. Fails with `http` (and the status), `network`, `aborted` or the limit's error. */
export async function download(url: URL, options: DownloadOptions): Promise<Blob> {
  const { bytes, type } = await arrive(url, options);
  const reader = bytes.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) parts.push(chunk.value);
  return new Blob(parts, { type });
}

/** As `download`, for whom works on a file while it arrives. A web page in place of it is an error: no file of ours is one. */
export async function arrive(url: URL, { signal, onBytes, limit }: DownloadOptions): Promise<Arriving> {
  throwIfAborted(signal);
  const failed = (error: unknown): ReidError => {
    if (signal?.aborted) return abortedError(signal);
    return error instanceof ReidError ? error : unreachable(url, error);
  };
  try {
    const response = await runtime.fetch(url, signal);
    if (!response.ok) {
      throw new ReidError("http", `${url.href} answered with HTTP status ${response.status}. Check the address.`, {
        status: response.status,
      });
    }
    const total = contentLength(response);
    if (total !== undefined && total > limit.bytes) throw limit.error;
    onBytes?.(0, total);

    let loaded = 0;
    // An answer without a body (204) has no reader.
    const reader = response.body?.getReader();
    const next = async (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return undefined;
      loaded += chunk.value.byteLength;
      if (loaded > limit.bytes) {
        await reader?.cancel();
        throw limit.error;
      }
      onBytes?.(loaded, total);
      return chunk.value;
    };

    const first: Uint8Array<ArrayBuffer>[] = [];
    while (loaded < HEAD_BYTES) {
      const chunk = await next();
      if (!chunk) break;
      first.push(chunk);
    }
    const head = new Uint8Array(await new Blob(first).arrayBuffer()).slice(0, HEAD_BYTES);
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/html") && head[0] === "<".charCodeAt(0)) {
      await reader?.cancel();
      throw aPage(url, response.status);
    }
    const bytes = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        try {
          const chunk = first.shift() ?? (await next());
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        } catch (error) {
          controller.error(failed(error));
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    });
    return { head, bytes, type, status: response.status };
  } catch (error) {
    throw failed(error);
  }
}

/** What a server answered with in place of a file. */
export function aPage(url: URL, status: number): ReidError {
  return new ReidError(
    "http",
    `${url.href} answered with a web page in place of the file: a development server does so for a file that it does not have. ` +
      "Check the address; for a file of this package see `configure({ assets })`.",
    { status },
  );
}

function unreachable(url: URL, cause: unknown): ReidError {
  const what = /^https?:$/.test(url.protocol)
    ? "Check the address and the connection; another site's server must also allow this page to read it (CORS), and a content " +
      "security policy `connect-src`."
    : "Check that it is there.";
  return new ReidError("network", `${url.href} could not be fetched. ${what}`, { cause });
}

/** Undefined where the length is of the compressed bytes: what is counted here is what comes out of the decompression. */
function contentLength(response: Response): number | undefined {
  const length = Number(response.headers.get("content-length"));
  return length > 0 && !response.headers.has("content-encoding") ? length : undefined;
}

/** Resolves a relative address against the page. */
export function resolveUrl(address: string | URL): URL {
  try {
    return runtime.resolve(address);
  } catch (error) {
    throw new ReidError("bad-input", `"${address}" is not a URL.`, { cause: error });
  }
}

/** The last part of the path: what the file would be called if it were saved. */
export function fileNameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
