// What is asked of the worker that learns: one model, from its start to its end.
import type { Pixels, TunerOptions, TunerStep } from "./engine.js";
import type { Nothing, WantedDevice } from "./protocol.js";

export interface TrainerCalls {
  /** Comes first. `weights` is the model as the engine exports it. */
  start: { request: { module: WebAssembly.Module; weights: Blob } & WantedDevice & TrainingRequest; reply: undefined };
  /** One step; undefined when all are done. */
  step: { request: Nothing; reply: TimedStep | undefined };
  /** The trained weights. */
  finish: { request: Nothing; reply: Blob };
  /** Bytes. */
  memory: { request: Nothing; reply: number };
}

export interface TrainingRequest {
  /** At the network's size. */
  readonly images: readonly Pixels[];
  /** The person's index for each image. */
  readonly people: Uint32Array;
  /** The camera's, −1 where it is unknown. */
  readonly cameras: Int32Array;
  readonly options: TunerOptions;
}

export interface TimedStep extends TunerStep {
  /** How long the step took. */
  readonly seconds: number;
}
