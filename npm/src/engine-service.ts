// What looks at images: owns the WebAssembly instance and the model.
import { Detecting } from "./detecting.js";
import { deviceRequest } from "./device-request.js";
import type {
  ChosenDevice,
  DetectorDescription,
  Engine,
  EngineDescription,
  Extraction,
  GpuCounters,
  InferenceGlue,
  Pixels,
} from "./engine.js";
import { ReidError } from "./errors.js";
import { Fitting } from "./fitting.js";
import { open, opening } from "./opening.js";
import type { Calls, CreatedModel, Request } from "./protocol.js";
import { needsRelaxedSimd } from "./relaxed-simd.js";
import type { Service } from "./serve.js";
import { giveBack } from "./spent.js";
import * as plain from "./wasm/webreid.js";
import * as relaxed from "./wasm/webreid_relaxed.js";

/** One to two seconds of work at the most: a cancel takes effect between batches. */
const BATCH_SIZE = 8;
const SOFTWARE_GPU_BATCH_SIZE = 4;
/** Of extraction, after which a browser has compiled it well; no more images where they are quick. */
const WARM_UP_MS = 250;
const WARM_UP_IMAGES = 32;

export class EngineService implements Service<Request<Calls>> {
  #model: Engine | undefined;
  #fitting: Fitting | undefined;
  #detecting: Detecting | undefined;
  #memory: WebAssembly.Memory | undefined;
  /** Which of the session's models this is. */
  #generation = 0;
  /** Before the last batch. */
  #counted: GpuCounters | undefined;
  /** That extraction takes for an image, once it was measured. */
  #seconds: number | undefined;

  rest(): object {
    return { generation: this.#generation };
  }

  opening(): boolean {
    return opening();
  }

  /** The bytes of pictures that nobody here keeps. */
  transfer(value: unknown): Transferable[] {
    if (Array.isArray(value)) return value.flatMap((one) => this.transfer(one));
    const isPicture = typeof value === "object" && value !== null && "data" in value;
    return isPicture && value.data instanceof Uint8Array ? [value.data.buffer as ArrayBuffer] : [];
  }

  async handle(request: Request<Calls>): Promise<Calls[keyof Calls]["reply"]> {
    // Two photos of a phone are not decoded at once.
    if (request.call === "fit") this.#detecting?.forget();
    if (request.call === "create") return this.#create(request);
    if (request.call === "createFitter") return this.#createFitter(request);
    if (request.call === "chooseDevice") return this.#choose(request);
    if (request.call === "memory") return this.#memory?.buffer.byteLength ?? 0;
    if (request.call === "fit") return made(this.#fitting).fit(request.image);
    if (request.call === "createDetector") return this.#createDetector(request);
    if (request.call === "detect") return made(this.#detecting).detect(request.image, request.options, request.number);
    if (request.call === "crop") return made(this.#detecting).crop(request.image, request.boxes, request.number);
    if (request.call === "dropDetector") return this.#dropDetector();
    const engine = made(this.#model);
    switch (request.call) {
      case "extract":
        return this.#extract(engine, request.images).finally(() => {
          for (const { data } of request.images) giveBack(data);
        });
      case "exportWeights":
        return file(engine.exportWeights());
      case "gpuCounters":
        return this.#ofLastBatch(engine.gpuCounters());
      case "replace":
        return this.#replace(engine, request);
      case "undo":
        if (!engine.undo()) return undefined;
        this.#generation = request.generation;
        return engine.describe();
      case "measureSpeed":
        this.#seconds ??= await secondsToExtract(engine);
        return this.#seconds;
    }
  }

  #ofLastBatch(now: GpuCounters | undefined): GpuCounters | undefined {
    if (!now || !this.#counted) return now;
    return {
      ...now,
      dispatches: now.dispatches - this.#counted.dispatches,
      submits: now.submits - this.#counted.submits,
    };
  }

  async #create(request: Request<Calls> & { call: "create" }): Promise<CreatedModel> {
    const { module, weights, device, unusable } = request;
    const wanted = await deviceRequest(device, unusable);
    const glue = await this.#load(module);
    const bytes = await bytesOf(weights.content);
    this.#model = await open(wanted, () => glue.Engine.create(bytes, weights.name, wanted, weights.about));
    giveBack(bytes);
    this.#generation = request.generation;
    const description = this.#model.describe();
    const { inputWidth: width, inputHeight: height, filter, fit } = description;
    this.#fitting = new Fitting(glue, { width, height, filter, fit }, false);
    if (description.device === "cpu") await this.#warmUp(this.#model);
    return { description, batchSize: description.software ? SOFTWARE_GPU_BATCH_SIZE : BATCH_SIZE };
  }

  async #createDetector(request: Request<Calls> & { call: "createDetector" }): Promise<DetectorDescription> {
    const { module, weights, device, unusable, takesLarge } = request;
    this.#dropDetector();
    const wanted = await deviceRequest(device, unusable);
    const glue = await this.#load(module);
    const bytes = await bytesOf(weights.content);
    const detector = await open(wanted, () => glue.Detector.create(bytes, weights.name, wanted));
    giveBack(bytes);
    this.#detecting = new Detecting(glue, detector, takesLarge);
    return detector.describe();
  }

  #dropDetector(): undefined {
    this.#detecting?.free();
    this.#detecting = undefined;
  }

  async #choose({ module, request }: Request<Calls> & { call: "chooseDevice" }): Promise<ChosenDevice> {
    return (await this.#load(module)).chooseDevice(request);
  }

  async #createFitter({ module, frame }: Request<Calls> & { call: "createFitter" }): Promise<undefined> {
    this.#fitting = new Fitting(await this.#load(module), frame, true);
  }

  async #load(module: WebAssembly.Module): Promise<InferenceGlue> {
    const glue: InferenceGlue = needsRelaxedSimd(module) ? relaxed : plain;
    this.#memory = (await glue.default({ module_or_path: module })).memory;
    return glue;
  }

  /**
   * Looks at a picture of noise until a browser has compiled all that this takes: code is compiled well only once it has run,
   * and the first call would take twice as long as those after it. A GPU's pipelines are made and run once at load.
   */
  async #warmUp(engine: Engine): Promise<void> {
    const noise = { data: new Uint8ClampedArray(4 * 80 * 160), width: 80, height: 160 };
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = Math.imul(i, 0x9e3779b9) >>> 24;
    const start = performance.now();
    for (let i = 0; i < WARM_UP_IMAGES && performance.now() - start < WARM_UP_MS; i++) {
      // What fails here fails again where someone waits for it.
      await this.#extract(engine, [noise]).catch(() => {});
    }
  }

  /** A feature for each image, in order. */
  #extract(engine: Engine, images: readonly Pixels[]): Promise<Extraction> {
    this.#counted = engine.gpuCounters();
    return engine.extract(images);
  }

  async #replace(engine: Engine, request: Request<Calls> & { call: "replace" }): Promise<EngineDescription> {
    await engine.replace(await bytesOf(request.weights));
    this.#generation = request.generation;
    return engine.describe();
  }
}

/** What `create` makes. */
function made<T>(what: T | undefined): T {
  if (!what) throw new ReidError("internal", "The worker was asked to work before it had a model.");
  return what;
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

function file(weights: Uint8Array<ArrayBuffer>): Blob {
  return new Blob([weights], { type: "application/octet-stream" });
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}
