// What the page and its workers say to each other: one reply to each request, by number. What is asked of a model's worker.
import type {
  ChosenDevice,
  Detection,
  DetectorDescription,
  DevicePreference,
  DeviceRequest,
  EngineDescription,
  Extraction,
  FittedImage,
  Frame,
  GpuCounters,
  Person,
  PersonBox,
  Pixels,
} from "./engine.js";
import type { ReidErrorData } from "./errors.js";
import type { OwnWeights } from "./formats.js";
import type { ImagePayload } from "./image.js";

export interface Calls {
  create: {
    request: { module: WebAssembly.Module; weights: OwnWeights; generation: number } & WantedDevice;
    reply: CreatedModel;
  };
  /** Puts a detector on the worker's device, beside the model if there is one, in place of the one before. */
  createDetector: {
    request: { module: WebAssembly.Module; weights: OwnWeights; takesLarge: boolean } & WantedDevice;
    reply: DetectorDescription;
  };
  /** Undefined where the photo is too large for a worker that stays. A photo of the same `number` is the same: it need not be decoded again. */
  detect: { request: { image: ImagePayload; options: Detection } & Numbered; reply: Person[] | undefined };
  crop: { request: { image: ImagePayload; boxes: PersonBox[] } & Numbered; reply: Pixels[] | undefined };
  dropDetector: { request: Nothing; reply: undefined };
  /** Which device `create` would take; nothing else is asked of such a worker. */
  chooseDevice: { request: { module: WebAssembly.Module; request: DeviceRequest }; reply: ChosenDevice };
  /** Makes the worker ready to fit pictures of any size, and nothing else. */
  createFitter: { request: { module: WebAssembly.Module; frame: Frame }; reply: undefined };
  /** The picture at the network's size; undefined where it is too large for a worker that has a network, too. */
  fit: { request: { image: ImagePayload }; reply: FittedImage | undefined };
  /** L2-normalised features of pictures at the network's size, in order. */
  extract: { request: { images: readonly Pixels[] }; reply: Extraction };
  exportWeights: { request: Nothing; reply: Blob };
  gpuCounters: { request: Nothing; reply: GpuCounters | undefined };
  /** Puts the weights that a trainer has made into the model, which is of that generation then; after a failure it is as it was. */
  replace: { request: { weights: Blob; generation: number }; reply: EngineDescription };
  /** Back to the model before the last training, as one of that generation; undefined where the engine does not have it. */
  undo: { request: { generation: number }; reply: EngineDescription | undefined };
  /** Seconds that extraction takes for an image. */
  measureSpeed: { request: Nothing; reply: number };
  /** Bytes. */
  memory: { request: Nothing; reply: number };
}

export type Nothing = Record<never, never>;

/** Tells a file from others that were looked at. */
interface Numbered {
  readonly number: number | undefined;
}

export interface WantedDevice {
  readonly device: DevicePreference;
  /** Why the GPU is to be left alone, where it has failed before: a clause for people. */
  readonly unusable?: string | undefined;
}

export interface CreatedModel {
  readonly description: EngineDescription;
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
