import type { FittedImage, Frame } from "./engine.js";
import { connectEngine, type EngineConnection } from "./engine-connection.js";
import { abortable, ReidError, throwIfAborted } from "./errors.js";
import { LARGE_PIXELS, type Picture, SMALL_PIXELS } from "./image.js";
import { isFatal, type Session } from "./session.js";

const UNWANTED = new ReidError("aborted", "Nobody waits for this picture any more.");

/**
 * Brings pictures to the network's size, so that only small ones are in memory together. A worker's memory never shrinks,
 * and large pictures take hundreds of megabytes: one worker decodes them all, and ends with the call that they came with.
 */
export class Fitter {
  readonly #module: WebAssembly.Module;
  readonly #frame: Frame;
  /** The worker for large pictures, while there is one. */
  #worker: EngineConnection | undefined;
  /** Settles when no picture is left that others wait for. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Calls that may have large pictures. */
  #calls = 0;

  constructor(module: WebAssembly.Module, frame: Frame) {
    this.#module = module;
    this.#frame = frame;
  }

  /** Runs a call that fits pictures. The last of those under way gives their memory back. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.close(UNWANTED);
    }
  }

  /** By `session`, unless the picture is large. */
  async fit(picture: Picture, session: Session, signal: AbortSignal | undefined): Promise<FittedImage> {
    const bySession = () => session.use((worker) => send(picture, worker));
    const { pixels } = picture;
    if (pixels === undefined || pixels <= SMALL_PIXELS) {
      // A file waits outside the worker's memory until it is its turn there.
      const fitted = await abortable(bySession(), signal);
      if (fitted) return fitted;
    }
    const turn = this.#queue.then(async () => {
      throwIfAborted(signal);
      const fitted = pixels !== undefined && pixels <= LARGE_PIXELS ? await bySession() : undefined;
      return fitted ?? this.#fitLarge(picture);
    });
    this.#queue = turn.catch(() => {});
    return abortable(turn, signal);
  }

  /** Bytes of WebAssembly memory for large pictures. */
  async memory(): Promise<number> {
    // It may end meanwhile.
    const answer = await this.#worker?.call("memory", {}).catch(() => undefined);
    return answer?.value ?? 0;
  }

  close(reason: ReidError): void {
    this.#worker?.close(reason);
    this.#worker = undefined;
  }

  #start(): EngineConnection {
    const worker = connectEngine();
    // Where this fails, what is asked of it next does.
    worker.call("createFitter", { module: this.#module, frame: this.#frame }).catch(() => {});
    return worker;
  }

  async #fitLarge(picture: Picture): Promise<FittedImage> {
    // A call that has failed with one picture leaves others in the queue.
    if (this.#calls === 0) throw UNWANTED;
    try {
      this.#worker ??= this.#start();
      return (await send(picture, this.#worker)) as FittedImage;
    } catch (error) {
      if (!isFatal(error)) throw error;
      this.close(error);
      // It had the worker for itself.
      const message = "the image cannot be decoded here: it is broken, or there is too little memory. Make it smaller";
      throw new ReidError("bad-image", message, { cause: error });
    }
  }
}

async function send(picture: Picture, worker: EngineConnection): Promise<FittedImage | undefined> {
  const image = await picture.payload();
  if ("data" in image) {
    // What a browser copies by itself lies about until garbage is collected; a copy that goes over is gone when it was used.
    const { width, height } = image;
    const data = image.data.slice();
    return (await worker.call("fit", { image: { width, height, data } }, [data.buffer])).value;
  }
  return (await worker.call("fit", { image }, picture.isFresh ? [image as ImageBitmap] : [])).value;
}
