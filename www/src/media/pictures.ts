import { imageDimensionsFromData } from "image-dimensions";
import { checkImageSize } from "webreid";
import type { Area, Look, Reply, Request, Size } from "./look.ts";

type Unnumbered = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** Looks at photos and cuts pieces out of them, in a worker. What cannot be read rejects. */
export class Pictures {
  readonly #waiting = new Map<number, { resolve(value: Look | Blob): void; reject(error: Error): void }>();
  #worker: Worker | undefined;
  #next = 0;

  /** Rejects with a `ReidError` for a picture that is too large, which is not decoded for that. */
  async look(file: Blob): Promise<Look> {
    const { type, ...size } = await sizeOf(file);
    checkImageSize(size.width, size.height);
    return this.#ask({ ask: "look", file, jpeg: type === "jpeg" ? size : undefined }) as Promise<Look>;
  }

  /** A JPEG of a part of the upright photo, or of all of it, at most so many pixels high. */
  cut(file: Blob, area: Area | undefined, height: number): Promise<Blob> {
    return this.#ask({ ask: "cut", file, area, height }) as Promise<Blob>;
  }

  #ask(request: Unnumbered): Promise<Look | Blob> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#open().postMessage({ ...request, id });
    });
  }

  #open(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("./picture-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data.value);
    };
    worker.onerror = (event) => {
      // The next request has a new one.
      this.#worker = undefined;
      worker.terminate();
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message || "The worker stopped."));
      this.#waiting.clear();
    };
    this.#worker = worker;
    return worker;
  }
}

/** Of a file, in which most pictures tell their size. */
const HEAD_BYTES = 2 ** 16;

/** Width and height, and of what its first bytes tell, the format. */
async function sizeOf(file: Blob): Promise<Size & { readonly type?: string }> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return imageDimensionsFromData(head) ?? sizeByBrowser(file);
}

/** As a browser knows it before it decodes a picture; the file's bytes stay with the page for a while. */
async function sizeByBrowser(file: Blob): Promise<Size> {
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error("it has no size"));
      image.src = url;
    });
    return { width: image.naturalWidth, height: image.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}
