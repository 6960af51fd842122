// The generated glue, typed as the Rust side promises it (src/web); wasm-bindgen itself knows objects only as `any`.
import type { DevicePreference } from "./device.js";
import type { Filter, Fit, InputOptions } from "./weights.js";

export interface EngineDescription {
  /** "OSNet x0.25" */
  readonly architecture: string;
  /** The project whose naming the checkpoint follows: "torchreid", "fast-reid", … */
  readonly dialect: string;
  /** One line for people: what was recognised. */
  readonly summary: string;
  /** Tensors that the network has and the file lacks. */
  readonly missing: readonly string[];
  /** Tensors in the file that the network has no use for. */
  readonly unexpected: readonly string[];
  /** What the file does not say and was taken for granted (colour order, range, size), a sentence each. */
  readonly assumed: readonly string[];
  /** Length of a feature. */
  readonly featureDim: number;
  /** What images are resized to, in pixels. */
  readonly inputHeight: number;
  readonly inputWidth: number;
  /** How they are resized, and what becomes of their proportions. */
  readonly filter: Filter;
  readonly fit: Fit;
  readonly device: "gpu" | "cpu";
  /** The graphics adapter's name, or "CPU". */
  readonly adapter: string;
  /** What was wrong with the GPU that was to be taken, where the CPU computes in its place. */
  readonly fallback?: string | undefined;
  /** Of what the network computes on the way: "f16" only on GPUs that have it, after it proved close enough. */
  readonly precision: "f16" | "f32";
  /** How many numbers were learnt. */
  readonly parameters: number;
  /** Tells this model from others: a hash of all that its features depend on. The same in every file, on every device. */
  readonly fingerprint: string;
}

export interface GpuCounters {
  /** Of the last batch: how many kernels were started, and how many command buffers handed over. */
  readonly dispatches: number;
  readonly submits: number;
  /** As many as were compiled. */
  readonly pipelines: number;
  /** Of GPU memory held: weights, activations, parameters, readback. */
  readonly bytes: number;
}

export interface Pixels {
  /** RGBA, 8 bits each, row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** L2-normalised features of a batch, in order, and the model that they are of. */
export interface Extraction {
  readonly features: Float32Array<ArrayBuffer>[];
  readonly fingerprint: string;
}

/** A picture at the network's size. */
export interface FittedImage extends Pixels {
  /** Of the picture before, 0…1. */
  readonly quality: number;
}

/** What moves: the last layers | those and the last stage of the backbone | everything. */
export type FineTuneDepth = "quick" | "deeper" | "full";

export interface TunerOptions {
  readonly depth: FineTuneDepth;
  readonly steps: number;
  /** A step's batch: that many people with that many images of each. */
  readonly batchPeople: number;
  readonly batchImages: number;
  /** Undefined: what suits the depth. */
  readonly learningRate?: number | undefined;
  readonly seed: number;
}

export interface TunerStep {
  /** From 1. */
  readonly step: number;
  /** In all. */
  readonly steps: number;
  /** Of the step's batch, before the step. */
  readonly loss: number;
  /** Share of the batch's images, 0…1, whose person was told right among those trained on. */
  readonly accuracy: number;
  /** In the batch. */
  readonly images: number;
}

export interface Tuner {
  /** One step; undefined when all are done. */
  step(): Promise<TunerStep | undefined>;
  /** Puts the trained weights into its engine. */
  apply(): Promise<void>;
  free(): void;
}

export interface Engine {
  describe(): EngineDescription;
  /** L2-normalised features, in order. */
  extract(images: readonly Pixels[]): Promise<Extraction>;
  exportWeights(): Uint8Array<ArrayBuffer>;
  exportOnnx(): Uint8Array<ArrayBuffer>;
  /** `dispatches` and `submits` since the engine was made; undefined on the CPU. */
  gpuCounters(): GpuCounters | undefined;
  /** Puts the weights of a fine-tuned form of its model into the engine, which keeps those before. */
  replace(weights: Uint8Array): Promise<void>;
  /** Back to the weights before the last `replace`; false when there are none. */
  undo(): boolean;
  free(): void;
}

/** The engine of the module that learns. */
export interface TrainingEngine extends Omit<Engine, "exportOnnx"> {
  /** `people`: the person's index for each image; `cameras`: the camera's, −1 where it is unknown. */
  fineTune(images: readonly Pixels[], people: Uint32Array, cameras: Int32Array, options: TunerOptions): Promise<Tuner>;
}

export interface EngineGlue<E> {
  default(input: { module_or_path: WebAssembly.Module }): Promise<{ readonly memory: WebAssembly.Memory }>;
  readonly Engine: {
    /** Of an OpenVINO model, `weights` is the `.xml`. */
    create(
      weights: Uint8Array,
      fileName: string,
      device: DevicePreference,
      bin?: Uint8Array,
      input?: InputOptions,
    ): Promise<E>;
  };
}

/** Fits a picture that comes in strips from the top, of whole rows. */
export interface PictureFitter {
  push(rows: Uint8Array | Uint8ClampedArray): void;
  /** It is gone then. */
  finish(): FittedImage;
  free(): void;
}

/** Of the module that looks at images. */
export interface InferenceGlue extends EngineGlue<Engine> {
  /** An encoded picture (PNG, JPEG, WebP, BMP). */
  fit(file: Uint8Array, width: number, height: number, filter: Filter, fit: Fit): FittedImage;
  readonly PictureFitter: new (
    width: number,
    height: number,
    toWidth: number,
    toHeight: number,
    filter: Filter,
    fit: Fit,
  ) => PictureFitter;
  /** Width and height by the first bytes of a picture's file, also of GIF, AVIF and HEIC; undefined when they do not say. */
  pictureSize(head: Uint8Array): Uint32Array | undefined;
  /** A checkpoint of random weights for the preset of that name. */
  untrained(preset: string): Uint8Array<ArrayBuffer>;
}
