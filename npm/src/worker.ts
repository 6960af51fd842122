// The dedicated worker: owns the WebAssembly instance and the model. Answers one request after another.
import { isForeignFormat } from "./brand.js";
import { chooseDevice } from "./device.js";
import type { Engine, Extraction, GpuCounters, InferenceGlue, Pixels } from "./engine.js";
import { isErrorData, ReidError, type ReidErrorData } from "./errors.js";
import { checkImageSize, type ImagePayload } from "./image.js";
import type { Calls, CreatedModel, Reply, Request } from "./protocol.js";
import { needsRelaxedSimd } from "./relaxed-simd.js";
import { file, Training } from "./training.js";

/** One to two seconds of work at the most: a cancel takes effect between batches. */
const BATCH_SIZE = 8;
const SOFTWARE_GPU_BATCH_SIZE = 4;
/** Of extraction, after which a browser has compiled it well; no more images where they are quick. */
const WARM_UP_MS = 250;
const WARM_UP_IMAGES = 32;

let model: { readonly engine: Engine; readonly training: Training; readonly memory: WebAssembly.Memory } | undefined;
let queue: Promise<void> = Promise.resolve();
/** Before the last batch. */
let counted: GpuCounters | undefined;

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  queue = queue.then(() => answer(data));
});
self.addEventListener("error", (event) => reply({ crash: event.message }));
self.addEventListener("unhandledrejection", (event) => reply({ crash: String(event.reason) }));

function reply(message: Reply): void {
  self.postMessage(message);
}

async function answer(request: Request): Promise<void> {
  try {
    reply({ id: request.id, value: await handle(request) });
  } catch (error) {
    reply({ id: request.id, error: errorData(error) });
  }
}

async function handle(request: Request): Promise<Calls[keyof Calls]["reply"]> {
  if (request.call === "create") return create(request);
  if (!model) throw new ReidError("internal", "The worker was asked to work before it had a model.");
  const { engine, training, memory } = model;
  switch (request.call) {
    case "extract":
      return extract(engine, request.images, request.names);
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
    case "applyTraining":
      return training.apply(request.training);
    case "stopTraining":
      return training.stop(request.training);
    case "undo":
      return engine.undo() ? engine.describe() : undefined;
    case "measureSpeed":
      return training.speed();
    case "memory":
      return memory.buffer.byteLength + training.memory();
  }
}

function ofLastBatch(now: GpuCounters | undefined): GpuCounters | undefined {
  if (!now || !counted) return now;
  return { ...now, dispatches: now.dispatches - counted.dispatches, submits: now.submits - counted.submits };
}

async function create({ module, weights, device }: Request & { call: "create" }): Promise<CreatedModel> {
  const choice = await chooseDevice(device);
  const generated = needsRelaxedSimd(module) ? import("./wasm/webreid_relaxed.js") : import("./wasm/webreid.js");
  const glue = (await generated) as unknown as InferenceGlue;
  const { memory } = await glue.default({ module_or_path: module });
  const { content, name, bin } = weights;
  const bytes = content instanceof Blob ? await bytesOf(content) : glue.untrained(content.untrained);
  const engine = await glue.Engine.create(bytes, name, choice.device, bin && (await bytesOf(bin)));
  model = { engine, training: new Training(engine, choice.device), memory };
  const description = engine.describe();
  if (description.device === "cpu") await warmUp(engine);
  return {
    description,
    deviceReason: choice.reason,
    batchSize: choice.software ? SOFTWARE_GPU_BATCH_SIZE : BATCH_SIZE,
  };
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
    await extract(engine, [noise], ["noise"]).catch(() => {});
  }
}

/**
 * One result for each image, in order; a bad image gives an error in its place, whose message begins with its name, and
 * does not hold up the others.
 */
async function extract(
  engine: Engine,
  payloads: readonly ImagePayload[],
  names: readonly string[],
): Promise<Extraction[]> {
  const decoded = await toEngineImages(payloads, names);
  const good = decoded.flatMap((image, i) => (isErrorData(image) ? [] : [{ image, name: names[i] ?? "" }]));
  counted = engine.gpuCounters();
  const results = await engine.extract(
    good.map((item) => item.image),
    good.map((item) => item.name),
  );
  const next = results.values();
  return decoded.map((image) => (isErrorData(image) ? image : (next.next().value as Extraction)));
}

/** Starts to learn from the images; the first bad one is an error for them all. */
async function startTraining(training: Training, request: Request & { call: "startTraining" }): Promise<undefined> {
  const images = (await toEngineImages(request.images, request.names)).map((image) => {
    if (isErrorData(image)) throw image;
    return image;
  });
  return training.start(request.training, request.module, images, request);
}

/** What the engine reads, or what is wrong with the image: a message that begins with its name. */
function toEngineImages(
  payloads: readonly ImagePayload[],
  names: readonly string[],
): Promise<(Uint8Array | Pixels | ReidErrorData)[]> {
  return Promise.all(
    payloads.map((payload, i) =>
      toEngineImage(payload).catch((error: unknown) => {
        const { code, message } = errorData(error);
        return { code, message: `${names[i]}: ${message}` };
      }),
    ),
  );
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

/** Encoded files go to Rust as they are; only formats that Rust has no decoder for are left to the browser. */
async function toEngineImage(payload: ImagePayload): Promise<Uint8Array | Pixels> {
  if (payload instanceof ImageData) return payload;
  if (payload instanceof ImageBitmap) return pixelsOf(payload);
  const bytes = await payload.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    (error: unknown) => {
      throw new ReidError("bad-image", "the file cannot be read: it may have been moved or deleted", { cause: error });
    },
  );
  if (!isForeignFormat(bytes)) return bytes;
  const bitmap = await createImageBitmap(payload).catch((error: unknown) => {
    throw new ReidError("bad-image", "this browser cannot decode the image: convert it to PNG or JPEG", {
      cause: error,
    });
  });
  return pixelsOf(bitmap);
}

function pixelsOf(bitmap: ImageBitmap): Pixels {
  try {
    const { width, height } = bitmap;
    checkImageSize(width, height);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new ReidError("out-of-memory", `no memory for the image's ${width}×${height} pixels`);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}

function errorData(error: unknown): ReidErrorData {
  if (isErrorData(error)) return { code: error.code, message: error.message };
  return { code: "internal", message: `The engine failed: ${error instanceof Error ? error.message : String(error)}` };
}
