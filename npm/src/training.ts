// In the worker: the training under way, and how long things take.
import type { DevicePreference } from "./device.js";
import type { Engine, EngineGlue, FineTuneDepth, TrainingEngine, Tuner } from "./engine.js";
import { ReidError } from "./errors.js";
import type { Speed, TimedStep, TrainedModel, TrainingRequest } from "./protocol.js";

interface Running {
  readonly number: number;
  readonly depth: FineTuneDepth;
  /** A copy of the model in the module that learns. */
  readonly engine: TrainingEngine;
  readonly tuner: Tuner;
}

/** Trains a model, one at a time and one step a call, so that other calls come in between. */
export class Training {
  readonly #engine: Engine;
  readonly #preference: DevicePreference;
  #memory: WebAssembly.Memory | undefined;
  readonly #seconds: Partial<Record<FineTuneDepth, number>> = {};
  #running: Running | undefined;
  #extractSeconds: number | undefined;

  constructor(engine: Engine, preference: DevicePreference) {
    this.#engine = engine;
    this.#preference = preference;
  }

  /** What to train on: where the CPU extracts, it learns too. */
  get device(): DevicePreference {
    return this.#engine.describe().device === "cpu" ? "cpu" : this.#preference;
  }

  async start(
    number: number,
    module: WebAssembly.Module,
    { images, people, cameras, options }: TrainingRequest,
    device: DevicePreference,
  ): Promise<undefined> {
    if (this.#running) {
      throw new ReidError(
        "bad-input",
        "This model is being fine-tuned already: run that to its end, break out of its loop, or abort its signal.",
      );
    }
    const glue = (await import("./wasm/webreid_train.js")) as unknown as EngineGlue<TrainingEngine>;
    this.#memory = (await glue.default({ module_or_path: module })).memory;
    const engine = await glue.Engine.create(this.#engine.exportWeights(), "the model", device);
    try {
      const tuner = await engine.fineTune(images, people, cameras, options);
      this.#running = { number, depth: options.depth, engine, tuner };
    } catch (error) {
      engine.free();
      throw error;
    }
  }

  async step(number: number): Promise<TimedStep | undefined> {
    const { tuner, depth } = this.#get(number);
    const start = performance.now();
    const step = await tuner.step();
    if (!step) return undefined;
    const seconds = (performance.now() - start) / 1000;
    this.#seconds[depth] = seconds / step.images;
    return { ...step, seconds };
  }

  /** The trained weights go into the engine, and come back as a file too; after a failure the model is as it was. */
  async apply(number: number): Promise<TrainedModel> {
    const { tuner, engine } = this.#get(number);
    await tuner.apply();
    const weights = engine.exportWeights();
    await this.#engine.replace(weights);
    this.stop(number);
    return { weights: file(weights), description: this.#engine.describe() };
  }

  stop(number: number): undefined {
    if (this.#running?.number !== number) return;
    const { tuner, engine } = this.#running;
    this.#running = undefined;
    tuner.free();
    engine.free();
  }

  /** Bytes that the module which learns holds. */
  memory(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  async speed(): Promise<Speed> {
    this.#extractSeconds ??= await secondsToExtract(this.#engine);
    return { extract: this.#extractSeconds, train: this.#seconds };
  }

  #get(number: number): Running {
    if (this.#running?.number !== number) throw new ReidError("bad-input", "This fine-tune is over.");
    return this.#running;
  }
}

export function file(weights: Uint8Array<ArrayBuffer>): Blob {
  return new Blob([weights], { type: "application/octet-stream" });
}

/** Enough that what is spent once a batch does not count. */
const PROBE_IMAGES = 4;

/** Seconds that an image takes. The second round counts: the first one may set things up. */
async function secondsToExtract(engine: Engine): Promise<number> {
  const { inputWidth: width, inputHeight: height } = engine.describe();
  const images = Array.from({ length: PROBE_IMAGES }, () => ({
    data: new Uint8Array(width * height * 4).fill(128),
    width,
    height,
  }));
  let seconds = 0;
  for (let round = 0; round < 2; round++) {
    const start = performance.now();
    await engine.extract(images);
    seconds = (performance.now() - start) / 1000 / PROBE_IMAGES;
  }
  return seconds;
}
