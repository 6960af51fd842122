import type { Area, Look, Reply, Request } from "./look.ts";

type Unnumbered = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** Looks at photos and cuts pieces out of them, in a worker. What cannot be read rejects. */
export class Pictures {
  readonly #waiting = new Map<number, { resolve(value: Look | Blob): void; reject(error: Error): void }>();
  #worker: Worker | undefined;
  #next = 0;

  look(file: Blob): Promise<Look> {
    return this.#ask({ ask: "look", file }) as Promise<Look>;
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
