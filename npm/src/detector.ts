/// <reference lib="esnext.disposable" preserve="true" />
import { DEVICES } from "./device.js";
import { whenDropped } from "./dropped.js";
import type {
  Detection,
  DetectorDescription,
  DevicePreference,
  InputOptions,
  Person,
  PersonBox,
  Pixels,
} from "./engine.js";
import { connectEngine } from "./engine-connection.js";
import { abortable, aboutImage, isOfAnImage, ReidError, throwIfAborted, toReidError } from "./errors.js";
import { toOwnDetector } from "./formats.js";
import { type ImagePayload, type ImageSource, imageName, LARGE_PIXELS, toPicture } from "./image.js";
import { isPicture, listOf } from "./lists.js";
import { loadModule } from "./module.js";
import { A_FUNCTION, A_SIGNAL, ANYTHING, COUNT, checkOptions, type Rules } from "./options.js";
import { type OnProgress, untilOver } from "./progress.js";
import { ReIdentifier, sessionOf, threads } from "./reidentifier.js";
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

const CREATE: Rules<DetectorOptions> = {
  weights: ANYTHING,
  input: ANYTHING,
  device: DEVICES,
  workers: COUNT,
  with: [(reid) => reid instanceof ReIdentifier, "a ReIdentifier"],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const DETECT: Rules<DetectOptions> = {
  minScore: [(value) => typeof value === "number" && value >= 0 && value <= 1, "a number from 0 to 1"],
  minHeight: [(value) => typeof value === "number" && value >= 0, "a number of pixels"],
  tiles: [
    (value) => value === "auto" || value === "off" || (Number.isSafeInteger(value) && (value as number) > 0),
    '"auto", "off" or a whole number of pixels',
  ],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const CROP: Rules<Pick<DetectOptions, "signal">> = { signal: A_SIGNAL };

const DROPPED = new ReidError("disposed", "Nobody holds this PersonDetector any more.");

const OVER = new ReidError("aborted", "Nobody waits for this photo any more.");

/** Finds the people in photos, in a worker. Make one with `PersonDetector.create`. */
export class PersonDetector {
  readonly #session: Session;
  /** Whose worker it is, where it is not its own: held, so that it stays. */
  readonly #reid: ReIdentifier | undefined;
  readonly #kept: () => void;
  readonly #workers: number;
  /** Files that were looked at: what is in them does not change. */
  readonly #numbers = new WeakMap<Blob, number>();
  #nextNumber = 0;
  #closed: ReidError | undefined;

  private constructor(session: Session, reid: ReIdentifier | undefined, workers: number) {
    this.#session = session;
    this.#reid = reid;
    this.#workers = workers;
    const shares = reid !== undefined;
    this.#kept = whenDropped(this, () => {
      if (shares) session.dropDetector().catch(() => {});
      else session.close(DROPPED);
    });
  }

  /**
   * Loads the engine and the detector. Rejects with a `ReidError`: `http`, `network`, `bad-weights`, `bad-input`, `no-device`,
   * `device-lost`, `out-of-memory`, `aborted`, `disposed` or `internal`.
   */
  static async create(options: DetectorOptions = {}): Promise<PersonDetector> {
    checkOptions("options", options, CREATE);
    const { device = "auto", with: reid, workers = threads(), onProgress, signal } = options;
    const input = checkInput(options.input);
    throwIfAborted(signal);
    const { tell, over } = untilOver(onProgress);
    const shared = reid && sessionOf(reid);
    const starting = shared ? undefined : connectEngine();
    let session: Session | undefined;
    try {
      const [weights, module] = await Promise.all([
        loadDetector(options.weights, tell, signal).then((files) => toOwnDetector(files, input, tell, signal)),
        loadModule("engine", tell, signal),
      ]);
      const detector = { weights, takesLarge: false };
      throwIfAborted(signal);
      tell({ phase: "model" });
      if (shared) {
        const added = shared.addDetector(detector);
        await abortable(added, signal).catch((error: unknown) => {
          added.then(() => shared.dropDetector()).catch(() => {});
          throw error;
        });
        return new PersonDetector(shared, reid, workers);
      }
      session = new Session(module, { detector }, device, starting && { starting });
      await abortable(session.open(), signal);
      return new PersonDetector(session, undefined, workers);
    } catch (error) {
      over();
      const reason = toReidError(error);
      starting?.close(reason);
      session?.close(reason);
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
  detect(photos: Iterable<ImageSource>, options?: DetectOptions): Promise<DetectedPerson[][]>;
  async detect(
    photos: ImageSource | Iterable<ImageSource>,
    options: DetectOptions = {},
  ): Promise<DetectedPerson[] | DetectedPerson[][]> {
    checkOptions("options", options, DETECT);
    const { minScore, minHeight, tiles, onProgress, signal } = options;
    const detection: Detection = { minScore, minHeight, tiles: tiles?.toString() };
    const isOne = isPicture(photos) || typeof photos !== "object" || photos === null || !(Symbol.iterator in photos);
    const many = isOne ? [photos as ImageSource] : listOf(photos as Iterable<ImageSource>, "Photos");
    const found = await this.#each(many, signal, onProgress, (session, image, number) =>
      session.callDetector("detect", { image, options: detection, number }),
    );
    return isOne ? (found[0] ?? []) : found;
  }

  /**
   * Somebody cut out of their photo, for `ReIdentifier.extract`: the box with a margin of a twentieth on each side. Of several
   * boxes of one photo, each; the photo is decoded once for them. Rejects as `detect`.
   */
  crop(photo: ImageSource, box: PersonBox, options?: Pick<DetectOptions, "signal">): Promise<ImageData>;
  crop(photo: ImageSource, boxes: Iterable<PersonBox>, options?: Pick<DetectOptions, "signal">): Promise<ImageData[]>;
  async crop(
    photo: ImageSource,
    boxes: PersonBox | Iterable<PersonBox>,
    options: Pick<DetectOptions, "signal"> = {},
  ): Promise<ImageData | ImageData[]> {
    checkOptions("options", options, CROP);
    const { signal } = options;
    const isList = typeof boxes === "object" && boxes !== null && Symbol.iterator in boxes;
    const many = isList ? listOf(boxes, "Boxes") : [boxes];
    for (const box of many) checkBox(box);
    const [crops = []] = await this.#each([photo], signal, undefined, (session, image, number) =>
      session.callDetector("crop", { image, boxes: many, number }),
    );
    const images = crops.map(toImageData);
    return isList ? images : (images[0] as ImageData);
  }

  /** Bytes of WebAssembly memory that the first worker holds. */
  async memory(): Promise<number> {
    return await this.#session.memory();
  }

  /** Ends the worker and frees its memory, unless it is a ReIdentifier's; calls still under way reject with `disposed`. */
  async dispose(): Promise<void> {
    if (this.#closed) return;
    this.#closed = new ReidError("disposed", "This PersonDetector was disposed of. Create another.");
    this.#kept();
    if (this.#reid) await this.#session.dropDetector();
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
    ask: Ask<T>,
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
    ask: Ask<T>,
  ): Promise<T> {
    const picture = await toPicture(source, signal);
    const number = source instanceof Blob ? this.#number(source) : undefined;
    const send = async (session: Session) => ask(session, await picture.payload(), number);
    try {
      const { pixels } = picture;
      if (pixels === undefined || pixels <= LARGE_PIXELS) {
        // A helper that cannot be had, or was dismissed meanwhile: its work is not lost.
        const answer = await send(worker).catch((error: unknown) => {
          if (worker === this.#session || isOfAnImage(error)) throw error;
          throwIfAborted(signal);
          return send(this.#session);
        });
        if (answer !== undefined) return answer;
      }
      return (await large.use(send)) as T;
    } finally {
      picture.release();
    }
  }

  #number(file: Blob): number {
    const number = this.#numbers.get(file) ?? this.#nextNumber++;
    this.#numbers.set(file, number);
    return number;
  }
}

/** What a worker is asked of a photo; a file has a number. */
type Ask<T> = (session: Session, image: ImagePayload, number: number | undefined) => Promise<T | undefined>;

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

/** Where there is no such class, what is as good as one. */
function toImageData({ data, width, height }: Pixels): ImageData {
  if (typeof ImageData === "undefined") return { data, width, height, colorSpace: "srgb" } as ImageData;
  return new ImageData(new Uint8ClampedArray(data.buffer as ArrayBuffer, data.byteOffset, data.length), width, height);
}
