import { checkImageSize, ReidError } from "webreid";
import { Unreachable } from "../errors.ts";
import type { Area, Look, Reply, Request } from "./look.ts";

type Unnumbered = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** What is asked of the worker. */
interface Waiting {
  readonly request: Unnumbered;
  resolve(value: Look | Blob | undefined): void;
  reject(error: Error): void;
  /** A worker has died while it was the first. */
  hasFailed: boolean;
}

/** Nobody waits for so long: the worker ends, which gives back what pictures took there, and the next request has a new one. */
const REST_MS = 4000;

/** Looks at photos and cuts pieces out of them, in a worker. What cannot be read rejects; `Unreachable`: the worker itself. */
export class Pictures {
  /** The first first: the worker takes one after the other. */
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** Rejects with a `ReidError` for a picture that is too large, which is not decoded for that. */
  async look(file: Blob): Promise<Look> {
    const look = await this.#look(file, false);
    if (look) return look;
    checkImageSize(...(await sizeByBrowser(file)));
    return this.#look(file, true) as Promise<Look>;
  }

  #look(file: Blob, isChecked: boolean): Promise<Look | undefined> {
    return this.#ask({ ask: "look", file, isChecked }) as Promise<Look | undefined>;
  }

  /** A JPEG of a part of the upright photo, or of all of it, at most so many pixels high. */
  cut(file: Blob, area: Area | undefined, height: number): Promise<Blob> {
    return this.#ask({ ask: "cut", file, area, height }) as Promise<Blob>;
  }

  #ask(request: Unnumbered): Promise<Look | Blob | undefined> {
    const id = this.#next++;
    clearTimeout(this.#resting);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { request, resolve, reject, hasFailed: false });
      this.#open().postMessage({ ...request, id });
    });
  }

  #open(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("./picture-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (this.#waiting.size === 0) this.#resting = setTimeout(() => this.#rest(), REST_MS);
      if (!("error" in data)) waiting?.resolve(data.value);
      else waiting?.reject(data.code ? new ReidError(data.code, data.error) : new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      this.#worker = undefined;
      if (event.message) this.#goOn(event.message);
      else this.#giveUp();
    };
    this.#worker = worker;
    return worker;
  }

  #rest(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** The worker has died: another does what it left undone, without what two have died of. */
  #goOn(message: string): void {
    const [first] = this.#waiting;
    if (!first) return;
    const [id, suspect] = first;
    if (suspect.hasFailed) {
      this.#waiting.delete(id);
      suspect.reject(new Error(message));
    }
    suspect.hasFailed = true;
    for (const [id, { request }] of this.#waiting) this.#open().postMessage({ ...request, id });
  }

  /** Its script did not come. */
  #giveUp(): void {
    for (const { reject } of this.#waiting.values()) reject(new Unreachable());
    this.#waiting.clear();
  }
}

/** Width and height, which a browser knows before it decodes a picture. The file's bytes stay with the page for a while. */
async function sizeByBrowser(file: Blob): Promise<[width: number, height: number]> {
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error("it has no size"));
      image.src = url;
    });
    return [image.naturalWidth, image.naturalHeight];
  } finally {
    URL.revokeObjectURL(url);
  }
}
