// What the page and its workers say to each other: one reply to each request, by number. What is asked of a model's worker.
import type { DevicePreference } from "./device.js";
import type {
  EngineDescription,
  Extraction,
  FineTuneDepth,
  FittedImage,
  GpuCounters,
  Pixels,
  TunerOptions,
  TunerStep,
} from "./engine.js";
import type { ReidErrorData } from "./errors.js";
import type { ImagePayload } from "./image.js";
import type { Filter, Fit, WeightsFile } from "./weights.js";

export interface Calls {
  create: {
    request: { module: WebAssembly.Module; weights: WeightsFile; device: DevicePreference; generation: number };
    reply: CreatedModel;
  };
  /** Makes the worker ready to fit pictures of any size, and nothing else. */
  createFitter: { request: { module: WebAssembly.Module; size: InputSize }; reply: undefined };
  /** The picture at the network's size; undefined where it is too large for a worker that has a network, too. */
  fit: { request: { image: ImagePayload }; reply: FittedImage | undefined };
  /** L2-normalised features of pictures at the network's size, in order. */
  extract: { request: { images: readonly Pixels[] }; reply: Extraction };
  exportWeights: { request: Nothing; reply: Blob };
  exportOnnx: { request: Nothing; reply: Blob };
  gpuCounters: { request: Nothing; reply: GpuCounters | undefined };
  /** The page numbers its trainings; `module` is the trainer. */
  startTraining: {
    /** With `device` on another one than the model's. */
    request: { training: number; module: WebAssembly.Module; device?: "cpu" } & TrainingRequest;
    reply: undefined;
  };
  /** One step; undefined when all are done. */
  trainStep: { request: { training: number }; reply: TimedStep | undefined };
  /** Ends the training with its weights in the model, which is of that generation then, and gives them back to be kept. */
  applyTraining: { request: { training: number; generation: number }; reply: TrainedModel };
  /** Ends the training and leaves the model as it is; nothing happens when it has ended. */
  stopTraining: { request: { training: number }; reply: undefined };
  /** Back to the model before the last training, as one of that generation; undefined where the engine does not have it. */
  undo: { request: { generation: number }; reply: EngineDescription | undefined };
  measureSpeed: { request: Nothing; reply: Speed };
  /** Bytes. */
  memory: { request: Nothing; reply: number };
}

type Nothing = Record<never, never>;

/** What a network's pictures are to be like. */
export interface InputSize {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly filter: Filter;
  readonly fit: Fit;
}

export interface TrainingRequest {
  /** At the network's size. */
  readonly images: readonly Pixels[];
  readonly people: Uint32Array;
  readonly cameras: Int32Array;
  readonly options: TunerOptions;
}

export interface TimedStep extends TunerStep {
  /** How long the step took. */
  readonly seconds: number;
}

export interface TrainedModel {
  readonly weights: Blob;
  readonly description: EngineDescription;
}

/** Seconds an image. */
export interface Speed {
  readonly extract: number;
  /** Of a step of that depth, where one has run in this worker. */
  readonly train: Readonly<Partial<Record<FineTuneDepth, number>>>;
}

export interface CreatedModel {
  readonly description: EngineDescription;
  /** Why the device was chosen, before it was opened. */
  readonly deviceReason: string;
  /** How many images one `extract` should carry: as many as still let a cancel through soon. */
  readonly batchSize: number;
}

export type CallName = keyof Calls;

/** Which of the models that its session has had is at work: the page numbers them. */
export interface Generation {
  readonly generation: number;
}

/** What a call gave, and of which model. */
export type Answer<T> = Value<T> & Generation;

/** What can be asked of a worker, by name. */
export type CallTable<Name extends PropertyKey> = {
  readonly [K in Name]: { readonly request: object; readonly reply: unknown };
};

export interface Value<T> {
  readonly value: T;
}

export type Request<C extends CallTable<keyof C>> = {
  [K in keyof C]: { readonly id: number; readonly call: K } & C[K]["request"];
}[keyof C];

export type Reply =
  | ({ readonly id: number } & Value<unknown>)
  | { readonly id: number; readonly error: ReidErrorData }
  /** How much of a call is done, 0…1. */
  | { readonly id: number; readonly progress: number }
  /**
   * Something threw outside a call, as a panic in a Rust task does, perhaps while a GPU was being opened: nothing in this
   * worker can be trusted any more.
   */
  | { readonly crash: string; readonly opening?: boolean };
