/// <reference lib="esnext.disposable" preserve="true" />
import { DEVICES } from "./device.js";
import { whenDropped } from "./dropped.js";
import type { DevicePreference, EngineDescription, FittedImage, GpuCounters, InputOptions } from "./engine.js";
import { connectEngine } from "./engine-connection.js";
import { abortable, aboutImage, isOfAnImage, ReidError, throwIfAborted, toReidError } from "./errors.js";
import { Feature } from "./feature.js";
import {
  checkPerson,
  estimate,
  type FineTuneEstimate,
  type FineTuneOptions,
  type FineTuneSample,
  type FineTuneStep,
  fineTune,
} from "./fine-tune.js";
import { Fitter } from "./fitter.js";
import { callFormats, toOwnWeights } from "./formats.js";
import { type ImageSource, imageName, type Picture, release, toPicture } from "./image.js";
import { licenceOf } from "./licence.js";
import { listOf } from "./lists.js";
import { loadModule } from "./module.js";
import { A_FUNCTION, A_SIGNAL, ANYTHING, COUNT, checkOptions, oneOf, type Rules } from "./options.js";
import { type OnProgress, untilOver } from "./progress.js";
import type { Answer } from "./protocol.js";
import { runtime } from "./runtime.js";
import { Session } from "./session.js";
import { type FeatureLike, similarity } from "./similarity.js";
import { giveBack } from "./spent.js";
import { checkInput, loadWeights, type WeightsSource } from "./weights.js";

export interface CreateOptions {
  /**
   * A checkpoint (.safetensors, .pth, .pt), an .onnx file or an OpenVINO model (.xml and .bin): its URL, or the file itself.
   * Default: the model that comes with the package.
   */
  readonly weights?: WeightsSource | undefined;
  /** The images that the model takes, where its file does not tell it: see `describe().assumed`. */
  readonly input?: InputOptions | undefined;
  /** `auto` (default): WebGPU on a real graphics adapter, else the CPU; also where that adapter fails or computes wrong. */
  readonly device?: DevicePreference | undefined;
  /**
   * On the CPU: over how many workers `extract` spreads many images at the most. As many are started at once, so that the
   * first images are as quick as those after them. Default: the processor's threads, up to 4, started when they are needed.
   */
  readonly workers?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExtractOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** `throw` (default): the first bad image rejects the call. `skip`: it gives null in its place, and the rest goes on. */
  readonly onError?: "throw" | "skip" | undefined;
  /** With `skip`: called for each bad image, as it is met; `error.image` says which. */
  readonly onImageError?: ((error: ReidError) => void) | undefined;
  /**
   * Called for each good image as its batch is done, for a page that shows results as they come. Where the model changes
   * meanwhile, the call starts again, and so do these: a later feature of an image takes the place of the earlier one.
   */
  readonly onFeature?: ((feature: Feature, index: number) => void) | undefined;
}

const CREATE: Rules<CreateOptions> = {
  weights: ANYTHING,
  input: ANYTHING,
  device: DEVICES,
  workers: COUNT,
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const EXTRACT: Rules<ExtractOptions> = {
  onError: oneOf("throw", "skip"),
  onImageError: A_FUNCTION,
  onFeature: A_FUNCTION,
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const ESTIMATE: Rules<Pick<FineTuneOptions, "steps">> = { steps: COUNT };

const DROPPED = new ReidError("disposed", "Nobody holds this ReIdentifier any more.");

/** What was recognised in the weights, and where they run. */
export type ModelDescription = Readonly<EngineDescription> & {
  /**
   * The licence of the weights, as their safetensors file says it (`license` of its metadata), also when they have learnt and in what
   * `exportWeights` gives. "LicenseRef-webreid-small" of the model that comes along: for research and teaching only. Undefined where
   * the file says nothing: then ask whoever made it.
   */
  readonly licence?: string | undefined;
};

/** What a ReIdentifier's worker is asked through, for what shares that. */
export let sessionOf: (reid: ReIdentifier) => Session;

/** A network that tells people apart, running in a worker of its own. Make one with `ReIdentifier.create`. */
export class ReIdentifier {
  static {
    sessionOf = (reid) => reid.#session;
  }

  readonly #session: Session;
  readonly #fitter: Fitter;
  readonly #workers: number;
  readonly #licence: string | undefined;
  readonly #kept: () => void;

  private constructor(session: Session, fitter: Fitter, workers: number, licence: string | undefined) {
    this.#session = session;
    this.#fitter = fitter;
    this.#workers = workers;
    this.#licence = licence;
    // Every call awaits what it asks for: that holds the ReIdentifier until it is done.
    this.#kept = whenDropped(this, () => {
      session.close(DROPPED);
      fitter.close(DROPPED);
    });
  }

  /**
   * Loads the engine and the weights, and sets the network up on the device.
   * Rejects with a `ReidError`: `unknown-preset`, `http`, `network`, `blocked`, `bad-weights`, `bad-input` (also for an `input` that the
   * model cannot have), `no-device`, `device-lost`, `out-of-memory`, `aborted` or `internal`.
   */
  static async create(options: CreateOptions = {}): Promise<ReIdentifier> {
    checkOptions("options", options, CREATE);
    const { weights, device = "auto", workers, onProgress, signal } = options;
    const input = checkInput(options.input);
    throwIfAborted(signal);
    const { tell, over } = untilOver(onProgress);
    // The worker, its module and the weights at once.
    const starting = connectEngine();
    let session: Session | undefined;
    try {
      const [file, module] = await Promise.all([
        loadWeights(weights, tell, signal).then((files) => toOwnWeights(files, input, tell, signal)),
        loadModule("engine", tell, signal),
      ]);
      throwIfAborted(signal);
      tell({ phase: "model" });
      session = new Session(module, { weights: file }, device, { starting });
      await abortable(session.open(), signal);
      if (workers !== undefined) await abortable(session.openCrew(workers), signal);
      const { inputWidth: width, inputHeight: height, filter, fit } = session.model.description;
      const fitter = new Fitter(module, { width, height, filter, fit });
      return new ReIdentifier(session, fitter, workers ?? threads(), await licenceOf(file.content));
    } catch (error) {
      over();
      const reason = toReidError(error);
      starting.close(reason);
      session?.close(reason);
      throw error;
    }
  }

  /** What was recognised in the weights, and where it runs. */
  describe(): ModelDescription {
    return { ...this.#session.model.description, licence: this.#licence };
  }

  /**
   * The features of the images, in their order. Images are crops: one person, head to foot, filling the frame.
   * All are of one model: where a fine-tune ends or is undone meanwhile, the call starts again with the model as it is then.
   * Cancelling takes effect between images. The images passed in stay usable, and a large one is read when its turn comes.
   * Rejects with a `ReidError`: `bad-image`, `image-too-large`, `http` or `network` with `image` saying which (unless
   * `onError` is "skip"); `bad-input`, `aborted`, `disposed`, `device-lost`, `out-of-memory` or `internal`.
   */
  async extract(
    images: Iterable<ImageSource>,
    options?: ExtractOptions & { readonly onError?: "throw" },
  ): Promise<Feature[]>;
  async extract(images: Iterable<ImageSource>, options: ExtractOptions): Promise<(Feature | null)[]>;
  async extract(given: Iterable<ImageSource>, options: ExtractOptions = {}): Promise<(Feature | null)[]> {
    checkOptions("options", options, EXTRACT);
    const images = listOf(given, "Images");
    /** Bad images are told once. */
    const told = new Set<number>();
    return this.#fitter.during(async () => {
      for (;;) {
        const features = await this.#extractOnce(images, options, told);
        if (features) return features;
      }
    });
  }

  /** The features of all images, of one model; undefined when it changed meanwhile. `told`: of which images an error was. */
  async #extractOnce(
    images: readonly ImageSource[],
    { onProgress, signal, onError = "throw", onImageError, onFeature }: ExtractOptions,
    told: Set<number>,
  ): Promise<(Feature | null)[] | undefined> {
    const features: (Feature | null)[] = [];
    let generation: number | undefined;
    onProgress?.({ phase: "extract", done: 0, total: images.length });
    const { batchSize } = this.#session.model;
    const workers = this.#session.crew(images.length < batchSize ? 1 : this.#workers);
    const size = Math.min(batchSize, Math.ceil(images.length / workers.length));
    while (features.length < images.length) {
      throwIfAborted(signal);
      // A batch for each worker, and what comes of them in order.
      const first = features.length;
      const starts = workers.map((_, i) => first + i * size).filter((start) => start < images.length);
      const batches = starts.map((start, i) =>
        this.#extractBatch(workers[i] as Session, images.slice(start, start + size), start, signal),
      );
      // Of several that fail the first is told.
      for (const batch of batches) batch.catch(() => {});
      for (const batch of batches) {
        const answer = await batch;
        generation ??= answer.generation;
        if (answer.generation !== generation) return undefined;
        for (const result of answer.value) {
          if (result instanceof Feature) {
            onFeature?.(result, features.length);
            features.push(result);
          } else {
            if (onError === "throw") throw result;
            if (!told.has(features.length)) onImageError?.(result);
            told.add(features.length);
            features.push(null);
          }
        }
        onProgress?.({ phase: "extract", done: features.length, total: images.length });
      }
    }
    return features;
  }

  /** What the package's `similarity` gives, which needs no model. */
  similarity(a: FeatureLike, b: FeatureLike): number {
    return similarity(a, b);
  }

  /**
   * Teaches the model to tell the people of the samples apart, one step each time the loop asks for the next:
   *
   *     for await (const { step, steps, loss } of reid.fineTune(samples)) console.log(`${step}/${steps}: ${loss}`);
   *
   * Not asking is a pause. Breaking out of the loop, or aborting the signal, is a cancel: the model stays as it was.
   * When the loop ends by itself, the model is the trained one: features extracted before are another model's, so extract
   * them again. `undo` goes back. Meanwhile `extract` comes in between the steps and uses the model as it was.
   *
   * The loop fails with a `ReidError`: `too-few-samples` with fewer than two people with two images each; `bad-image`,
   * `image-too-large`, `http` or `network` with `image` saying which sample; `bad-input` (also while another fine-tune of
   * this model is under way, and with a learning rate so high that the loss is no number), `aborted`, `disposed`, `device-lost`, `out-of-memory` or `internal`. The model
   * stays as it was then, too.
   */
  async *fineTune(
    samples: Iterable<FineTuneSample>,
    options: FineTuneOptions = {},
  ): AsyncGenerator<FineTuneStep, void, undefined> {
    yield* fineTune(this.#session, this.#fitter, samples, options);
  }

  /**
   * How long a fine-tune with these samples would take at each depth: from the time that a few extractions take, which
   * are made for it, and once steps of a depth have run, from theirs. Half or twice as long is no surprise.
   */
  async estimateFineTune(
    samples: Iterable<Pick<FineTuneSample, "person">>,
    options: Pick<FineTuneOptions, "steps"> = {},
  ): Promise<FineTuneEstimate> {
    checkOptions("options", options, ESTIMATE);
    const known = listOf(samples, "Samples");
    for (const [index, sample] of known.entries()) checkPerson(sample, index);
    const extractSeconds = await this.#session.call("measureSpeed", {});
    return estimate(known, options.steps, extractSeconds, this.#session.trainSeconds);
  }

  /**
   * Back to the model before the last fine-tune, of which one is kept; false when there is none. Features extracted since
   * are another model's.
   */
  async undo(): Promise<boolean> {
    return await this.#session.undo();
  }

  /** The weights as they are now, in safetensors format: `create({ weights })` takes them again. */
  async exportWeights(): Promise<Blob> {
    return await this.#session.call("exportWeights", {});
  }

  /**
   * The model as it is now as an ONNX file, for other runtimes: `image` `[batch, 3, inputHeight, inputWidth]` to `feature`
   * `[batch, featureDim]`, which is not L2-normalised. The image is RGB, less ImageNet's mean and divided by its deviation,
   * unless the model was made for others: then the file does that itself, and the image is 0…1. Rejects with `bad-weights`
   * for the rare model that ONNX cannot take.
   */
  async exportOnnx(): Promise<Blob> {
    return callFormats("toOnnx", { weights: await this.exportWeights() }, undefined, undefined);
  }

  /** What the last batch asked of the GPU, and what the model holds there; undefined on the CPU. */
  async gpuCounters(): Promise<GpuCounters | undefined> {
    return await this.#session.call("gpuCounters", {});
  }

  /**
   * Bytes of WebAssembly memory that the first worker holds, which grow and are not given back before `dispose`; and while
   * large images are decoded, or the model learns, those that this takes.
   */
  async memory(): Promise<number> {
    const held = await Promise.all([this.#session.memory(), this.#fitter.memory()]);
    return held[0] + held[1];
  }

  /**
   * Gives back the memory that images took, which workers otherwise keep until the end: they are ended, and the next call starts
   * them anew, which takes it a few hundred milliseconds. A `PersonDetector` that shares them rests as well. Does nothing, and is
   * false, while they are at work.
   */
  rest(): boolean {
    return this.#session.rest();
  }

  /** Ends the worker and frees its memory; calls still under way reject with `disposed`. */
  async dispose(): Promise<void> {
    const reason = new ReidError("disposed", "This ReIdentifier was disposed of. Create another.");
    this.#kept();
    this.#session.close(reason);
    this.#fitter.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** One result for each image: its feature, or what is wrong with it. Rejects with what is no single image's fault. */
  async #extractBatch(
    worker: Session,
    batch: readonly ImageSource[],
    start: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<(Feature | ReidError)[]>> {
    // A helper that cannot be had, for want of memory perhaps, or was dismissed meanwhile: its work is not lost.
    const byWorker = <T>(use: (session: Session) => Promise<T>): Promise<T> =>
      use(worker).catch((error: unknown) => {
        if (worker === this.#session || isOfAnImage(error)) throw error;
        throwIfAborted(signal);
        return use(this.#session);
      });
    const pictures = batch.map((source) => toPicture(source, signal));
    const fit = async (picture: Promise<Picture>, i: number): Promise<FittedImage | ReidError> => {
      try {
        const ready = await picture;
        return await byWorker((session) => this.#fitter.fit(ready, session, signal));
      } catch (error) {
        if (!isOfAnImage(error)) throw error;
        return aboutImage(error, start + i, imageName(batch[i] as ImageSource, start + i));
      }
    };
    try {
      const fitted = await Promise.all(pictures.map(fit));
      const images = fitted.filter((image): image is FittedImage => !(image instanceof ReidError));
      const extraction = byWorker((session) => session.ask("extract", { images }));
      const { value, generation } = await abortable(extraction, signal);
      for (const { data } of images) giveBack(data);
      const { features, fingerprint } = value;
      const next = features.values();
      const results = fitted.map((image) =>
        image instanceof ReidError
          ? image
          : feature(next.next().value as Float32Array<ArrayBuffer>, image, fingerprint),
      );
      return { value: results, generation };
    } finally {
      release(pictures);
    }
  }
}

function feature(values: Float32Array<ArrayBuffer>, { quality, isScene }: FittedImage, fingerprint: string): Feature {
  return new Feature(values, quality, isScene ? ["notOnePerson"] : [], fingerprint);
}

/** More of them than this compete for the processor's memory rather than help. */
const MOST_THREADS = 4;

export function threads(): number {
  return Math.max(1, Math.min(MOST_THREADS, runtime.threads()));
}
