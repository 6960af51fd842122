/// <reference lib="esnext.disposable" preserve="true" />
import type {
  Detection,
  DetectorDescription,
  DevicePreference,
  InputOptions,
  Person,
  PersonBox,
  Pixels,
} from "./engine.js";
import { abortable, aboutImage, isOfAnImage, ReidError, throwIfAborted } from "./errors.js";
import { toOwnDetector } from "./formats.js";
import { type ImagePayload, type ImageSource, imageName, LARGE_PIXELS, type Picture, toPicture } from "./image.js";
import { loadModule } from "./module.js";
import { checkOptions, oneOf, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";
import { type ReIdentifier, sessionOf, threads } from "./reidentifier.js";
import { Session } from "./session.js";
import { checkInput, loadDetector, type ModelSource } from "./weights.js";

export interface DetectorOptions {
  /** A detector of people; default: the one that comes with the package, which is fetched now. */
  readonly weights?: ModelSource | undefined;
  /** The images that its network takes, where its file does not tell it. */
  readonly input?: InputOptions | undefined;
  /** As `ReIdentifier.create` has it. */
  readonly device?: DevicePreference | undefined;
  /** On the CPU: over how many workers `detect` and `crop` spread many photos at the most. Default: as `ReIdentifier` has it. */
  readonly workers?: number | undefined;
  /** Shares the worker and the device of this one; `device` is its then. */
  readonly with?: ReIdentifier | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DetectOptions {
  /** People whose score is lower are not told, 0…1. Default: what is right for the detector, and a little more with tiles. */
  readonly minScore?: number | undefined;
  /** People who are less high than this are not told, in pixels of the photo; default 36. */
  readonly minHeight?: number | undefined;
  /**
   * Whether parts of the photo are looked at on their own as well, in which people who are small in it are found. `auto`
   * (default): in large photos; a number: in tiles of so many pixels.
   */
  readonly tiles?: "auto" | "off" | number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Somebody in a photo: where, in pixels of the upright image, and how sure that is, 0…1. */
export type DetectedPerson = Readonly<Person>;

const OPTIONS: Rules<Pick<DetectOptions, "minScore" | "minHeight" | "tiles">> = {
  minScore: [(value) => typeof value === "number" && value >= 0 && value <= 1, "a number from 0 to 1"],
  minHeight: [(value) => typeof value === "number" && value >= 0, "a number of pixels"],
  tiles: [
    (value) => value === "auto" || value === "off" || (Number.isSafeInteger(value) && (value as number) > 0),
    '"auto", "off" or a whole number of pixels',
  ],
};
const CREATE: Rules<Pick<DetectorOptions, "device" | "workers">> = {
  device: oneOf("auto", "gpu", "cpu"),
  workers: [(value) => Number.isSafeInteger(value) && (value as number) > 0, "a whole number of at least 1"],
};

const OVER = new ReidError("aborted", "Nobody waits for this photo any more.");

/** Finds the people in photos, in a worker. Make one with `PersonDetector.create`. */
export class PersonDetector {
  readonly #session: Session;
  /** Whether the worker is a ReIdentifier's. */
  readonly #shares: boolean;
  readonly #workers: number;
  #closed: ReidError | undefined;

  private constructor(session: Session, shares: boolean, workers: number) {
    this.#session = session;
    this.#shares = shares;
    this.#workers = workers;
  }

  /**
   * Loads the engine and the detector. Rejects with a `ReidError`: `http`, `network`, `bad-weights`, `bad-input`, `no-device`,
   * `device-lost`, `out-of-memory`, `aborted`, `disposed` or `internal`.
   */
  static async create(options: DetectorOptions = {}): Promise<PersonDetector> {
    const { device, with: reid, workers = threads(), onProgress, signal } = options;
    checkOptions("options", { device, workers }, CREATE);
    const shared = reid && sessionOf(reid);
    const files = await loadDetector(options.weights, onProgress, signal);
    const weights = await toOwnDetector(files, checkInput(options.input), onProgress, signal);
    const detector = { weights, takesLarge: false };
    const module = await loadModule("engine", onProgress, signal);
    throwIfAborted(signal);
    onProgress?.({ phase: "model" });
    if (shared) {
      const added = shared.addDetector(detector);
      await abortable(added, signal).catch((error: unknown) => {
        added.then(() => shared.dropDetector()).catch(() => {});
        throw error;
      });
      return new PersonDetector(shared, true, workers);
    }
    const session = new Session(module, { detector }, device ?? "auto");
    try {
      await abortable(session.open(), signal);
      return new PersonDetector(session, false, workers);
    } catch (error) {
      session.close(error as ReidError);
      throw error;
    }
  }

  /** What finds people, and where it runs. */
  describe(): Readonly<DetectorDescription> {
    return this.#session.detector;
  }

  /**
   * The people in a photo, best first; a photo without people is none. Of several photos, those of each, in their order.
   * Rejects with a `ReidError`: `bad-image`, `image-too-large`, `http` or `network` with `image` saying which;
   * `bad-input`, `aborted`, `disposed`, `device-lost`, `out-of-memory` or `internal`.
   */
  detect(photo: ImageSource, options?: DetectOptions): Promise<DetectedPerson[]>;
  detect(photos: readonly ImageSource[], options?: DetectOptions): Promise<DetectedPerson[][]>;
  async detect(
    photos: ImageSource | readonly ImageSource[],
    options: DetectOptions = {},
  ): Promise<DetectedPerson[] | DetectedPerson[][]> {
    const { minScore, minHeight, tiles, onProgress, signal } = options;
    checkOptions("options", { minScore, minHeight, tiles }, OPTIONS);
    const detection: Detection = { minScore, minHeight, tiles: tiles?.toString() };
    const many = Array.isArray(photos) ? (photos as readonly ImageSource[]) : [photos as ImageSource];
    const found = await this.#each(many, signal, onProgress, (session, image) =>
      session.call("detect", { image, options: detection }),
    );
    return Array.isArray(photos) ? found : (found[0] ?? []);
  }

  /**
   * Somebody cut out of their photo, for `ReIdentifier.extract`: the box with a margin of a twentieth on each side. Of several
   * boxes of one photo, each; the photo is decoded once for them. Rejects as `detect`.
   */
  crop(photo: ImageSource, box: PersonBox, options?: Pick<DetectOptions, "signal">): Promise<ImageData>;
  crop(photo: ImageSource, boxes: readonly PersonBox[], options?: Pick<DetectOptions, "signal">): Promise<ImageData[]>;
  async crop(
    photo: ImageSource,
    boxes: PersonBox | readonly PersonBox[],
    { signal }: Pick<DetectOptions, "signal"> = {},
  ): Promise<ImageData | ImageData[]> {
    const many = Array.isArray(boxes) ? [...(boxes as readonly PersonBox[])] : [boxes as PersonBox];
    for (const box of many) checkBox(box);
    const [crops = []] = await this.#each([photo], signal, undefined, (session, image) =>
      session.call("crop", { image, boxes: many }),
    );
    const images = crops.map(toImageData);
    return Array.isArray(boxes) ? images : (images[0] as ImageData);
  }

  /** Bytes of WebAssembly memory that the first worker holds. */
  memory(): Promise<number> {
    return this.#session.memory();
  }

  /** Ends the worker and frees its memory, unless it is a ReIdentifier's; calls still under way reject with `disposed`. */
  async dispose(): Promise<void> {
    if (this.#closed) return;
    this.#closed = new ReidError("disposed", "This PersonDetector was disposed of. Create another.");
    if (this.#shares) await this.#session.dropDetector();
    else this.#session.close(this.#closed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** What is asked of each photo, over as many workers as help. */
  async #each<T>(
    photos: readonly ImageSource[],
    signal: AbortSignal | undefined,
    onProgress: OnProgress | undefined,
    ask: (session: Session, image: ImagePayload) => Promise<T | undefined>,
  ): Promise<T[]> {
    throwIfAborted(signal);
    if (this.#closed) throw this.#closed;
    const results = new Array<T>(photos.length);
    const workers = this.#session.crew(Math.min(photos.length, this.#workers));
    const large = new LargePhotos(() => this.#session.forLarge());
    let [next, done, failed] = [0, 0, false];
    onProgress?.({ phase: "detect", done, total: photos.length });
    const work = async (worker: Session) => {
      while (next < photos.length && !failed) {
        const place = next++;
        const source = photos[place] as ImageSource;
        try {
          throwIfAborted(signal);
          results[place] = await this.#ask(source, worker, large, signal, ask);
        } catch (error) {
          failed = true;
          if (this.#closed) throw this.#closed;
          throw isOfAnImage(error) ? aboutImage(error, place, imageName(source, place)) : error;
        }
        onProgress?.({ phase: "detect", done: ++done, total: photos.length });
      }
    };
    try {
      await abortable(Promise.all(workers.map(work)), signal);
      return results;
    } finally {
      failed = true;
      large.close();
    }
  }

  async #ask<T>(
    source: ImageSource,
    worker: Session,
    large: LargePhotos,
    signal: AbortSignal | undefined,
    ask: (session: Session, image: ImagePayload) => Promise<T | undefined>,
  ): Promise<T> {
    const picture = await toPicture(source, signal);
    try {
      const { pixels } = picture;
      if (pixels === undefined || pixels <= LARGE_PIXELS) {
        // A helper that cannot be had, or was dismissed meanwhile: its work is not lost.
        const answer = await this.#send(picture, worker, ask).catch((error: unknown) => {
          if (worker === this.#session || isOfAnImage(error)) throw error;
          throwIfAborted(signal);
          return this.#send(picture, this.#session, ask);
        });
        if (answer !== undefined) return answer;
      }
      return (await large.use((session) => this.#send(picture, session, ask))) as T;
    } finally {
      picture.release();
    }
  }

  async #send<T>(
    picture: Picture,
    session: Session,
    ask: (session: Session, image: ImagePayload) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    return ask(session, await picture.payload());
  }
}

/** One worker for all photos of a call that take hundreds of megabytes, one after the other: its end gives them back. */
class LargePhotos {
  readonly #open: () => Session;
  #session: Session | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(open: () => Session) {
    this.#open = open;
  }

  use<T>(use: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      if (this.#closed) throw OVER;
      this.#session ??= this.#open();
      return use(this.#session);
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  close(): void {
    this.#closed = true;
    this.#session?.close(OVER);
  }
}

function checkBox(box: PersonBox): void {
  const sides = [box?.x, box?.y, box?.width, box?.height];
  if (!sides.every(Number.isFinite)) {
    throw new ReidError("bad-input", "A box must be `{ x, y, width, height }`, in pixels of the photo.");
  }
}

function toImageData({ data, width, height }: Pixels): ImageData {
  return new ImageData(new Uint8ClampedArray(data.buffer as ArrayBuffer, data.byteOffset, data.length), width, height);
}
