import { abortedError, ReidError, throwIfAborted } from "./errors.js";

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((loaded: number, total: number | undefined) => void) | undefined;
  /** Gives up past this many bytes. */
  readonly limit: { readonly bytes: number; readonly error: ReidError };
}

/** Fetches a file, counting its bytes. Fails with `http` (and the status), `network`, `aborted` or the limit's error. */
export async function download(url: URL, { signal, onBytes, limit }: DownloadOptions): Promise<Blob> {
  throwIfAborted(signal);
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) {
      throw new ReidError("http", `${url.href} answered with HTTP status ${response.status}. Check the address.`, {
        status: response.status,
      });
    }
    const total = contentLength(response);
    if (total !== undefined && total > limit.bytes) throw limit.error;
    onBytes?.(0, total);

    const parts: Uint8Array<ArrayBuffer>[] = [];
    let loaded = 0;
    // An answer without a body (204) has no reader.
    const reader = response.body?.getReader();
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      parts.push(chunk.value);
      loaded += chunk.value.byteLength;
      if (loaded > limit.bytes) {
        await reader?.cancel();
        throw limit.error;
      }
      onBytes?.(loaded, total);
    }
    return new Blob(parts, { type: response.headers.get("content-type") ?? "" });
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    if (error instanceof ReidError) throw error;
    throw new ReidError(
      "network",
      `${url.href} could not be fetched. Check the address and the connection; another site's server must also allow this page to read it (CORS).`,
      { cause: error },
    );
  }
}

/** Undefined where the length is of the compressed bytes: what is counted here is what comes out of the decompression. */
function contentLength(response: Response): number | undefined {
  const length = Number(response.headers.get("content-length"));
  return length > 0 && !response.headers.has("content-encoding") ? length : undefined;
}

/** Resolves a relative address against the page. */
export function resolveUrl(address: string | URL): URL {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
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
