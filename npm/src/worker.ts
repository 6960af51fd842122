// The dedicated worker: owns the WebAssembly instance and the model. Answers one request after another.
import { chooseDevice, type DevicePreference, noDevice } from "./device.js";
import type { Engine, Extraction, GpuCounters, InferenceGlue, Pixels } from "./engine.js";
import { isErrorData, ReidError } from "./errors.js";
import { Fitting } from "./fitting.js";
import type { Calls, CreatedModel, Request } from "./protocol.js";
import { needsRelaxedSimd } from "./relaxed-simd.js";
import { serve } from "./serve.js";
import { file, Training } from "./training.js";

/** One to two seconds of work at the most: a cancel takes effect between batches. */
const BATCH_SIZE = 8;
const SOFTWARE_GPU_BATCH_SIZE = 4;
/** Of extraction, after which a browser has compiled it well; no more images where they are quick. */
const WARM_UP_MS = 250;
const WARM_UP_IMAGES = 32;

let model: { readonly engine: Engine; readonly training: Training } | undefined;
let fitting: Fitting | undefined;
let memory: WebAssembly.Memory | undefined;
/** Which of the session's models this is. */
let generation = 0;
/** Whether a GPU is being opened: what goes wrong meanwhile is its fault. */
let opening = false;
/** Before the last batch. */
let counted: GpuCounters | undefined;

serve(handle, { rest: () => ({ generation }), crash: () => ({ opening }) });

/** What opens a GPU, unless `device` is "cpu". What it fails with is the GPU's fault, where the engine does not say better. */
async function open<T>(device: DevicePreference, opens: () => Promise<T>): Promise<T> {
  opening = device !== "cpu";
  try {
    return await opens();
  } catch (error) {
    if (!opening || isErrorData(error)) throw error;
    throw noDevice(
      `the engine failed while the GPU was opened (${error instanceof Error ? error.message : String(error)}).`,
    );
  } finally {
    opening = false;
  }
}

async function handle(request: Request<Calls>): Promise<Calls[keyof Calls]["reply"]> {
  if (request.call === "create") return create(request);
  if (request.call === "createFitter") return createFitter(request);
  if (request.call === "memory") return (memory?.buffer.byteLength ?? 0) + (model?.training.memory() ?? 0);
  if (request.call === "fit") return made(fitting).fit(request.image);
  const { engine, training } = made(model);
  switch (request.call) {
    case "extract":
      return extract(engine, request.images);
    case "exportWeights":
      return file(engine.exportWeights());
    case "exportOnnx":
      return file(engine.exportOnnx());
    case "gpuCounters":
      return ofLastBatch(engine.gpuCounters());
    case "startTraining":
      return startTraining(training, request);
    case "trainStep":
      return training.step(request.training);
    case "applyTraining": {
      const trained = await training.apply(request.training);
      generation = request.generation;
      return trained;
    }
    case "stopTraining":
      return training.stop(request.training);
    case "undo":
      if (!engine.undo()) return undefined;
      generation = request.generation;
      return engine.describe();
    case "measureSpeed":
      return training.speed();
  }
}

/** What `create` makes. */
function made<T>(what: T | undefined): T {
  if (!what) throw new ReidError("internal", "The worker was asked to work before it had a model.");
  return what;
}

function ofLastBatch(now: GpuCounters | undefined): GpuCounters | undefined {
  if (!now || !counted) return now;
  return { ...now, dispatches: now.dispatches - counted.dispatches, submits: now.submits - counted.submits };
}

async function create(request: Request<Calls> & { call: "create" }): Promise<CreatedModel> {
  const { module, weights, device } = request;
  const choice = await chooseDevice(device);
  const glue = await load(module);
  const { content, name, bin, input } = weights;
  const bytes = content instanceof Blob ? await bytesOf(content) : glue.untrained(content.untrained);
  const binBytes = bin && (await bytesOf(bin));
  // From here on the engine decides: an adapter that is there may still be of no use.
  const wanted = choice.device === "cpu" ? "cpu" : device;
  const engine = await open(wanted, () => glue.Engine.create(bytes, name, wanted, binBytes, input));
  generation = request.generation;
  const description = engine.describe();
  model = { engine, training: new Training(engine, wanted) };
  const { inputWidth: width, inputHeight: height, filter, fit } = description;
  fitting = new Fitting(glue, { width, height, filter, fit }, false);
  if (description.device === "cpu") await warmUp(engine);
  return {
    description,
    deviceReason: choice.reason,
    batchSize: choice.software ? SOFTWARE_GPU_BATCH_SIZE : BATCH_SIZE,
  };
}

async function createFitter({ module, size }: Request<Calls> & { call: "createFitter" }): Promise<undefined> {
  fitting = new Fitting(await load(module), size, true);
}

async function load(module: WebAssembly.Module): Promise<InferenceGlue> {
  const generated = needsRelaxedSimd(module) ? import("./wasm/webreid_relaxed.js") : import("./wasm/webreid.js");
  const glue = (await generated) as unknown as InferenceGlue;
  ({ memory } = await glue.default({ module_or_path: module }));
  return glue;
}

/**
 * Looks at a picture of noise until a browser has compiled all that this takes: code is compiled well only once it has run,
 * and the first call would take twice as long as those after it. A GPU's pipelines are made and run once at load.
 */
async function warmUp(engine: Engine): Promise<void> {
  const noise = new ImageData(80, 160);
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = Math.imul(i, 0x9e3779b9) >>> 24;
  const start = performance.now();
  for (let i = 0; i < WARM_UP_IMAGES && performance.now() - start < WARM_UP_MS; i++) {
    // What fails here fails again where someone waits for it.
    await extract(engine, [noise]).catch(() => {});
  }
}

/** A feature for each image, in order. */
function extract(engine: Engine, images: readonly Pixels[]): Promise<Extraction> {
  counted = engine.gpuCounters();
  return engine.extract(images);
}

function startTraining(training: Training, request: Request<Calls> & { call: "startTraining" }): Promise<undefined> {
  const device = request.device ?? training.device;
  return open(device, () => training.start(request.training, request.module, request, device));
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}
