import { addressOf } from "./assets.js";
import { download, fileNameOf, resolveUrl } from "./download.js";
import type { InputOptions } from "./engine.js";
import { ReidError } from "./errors.js";
import { callFormats } from "./formats.js";
import { isBytes } from "./lists.js";
import { checkOptions, oneOf, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";

/**
 * A checkpoint: its bytes, where to fetch it, or the name of a model that comes with the package ("webreid-small"). A model may
 * be several files, see {@link ModelSource}. `{ untrained }` is a network by its name with weights drawn at random, to measure how
 * fast it runs: its features mean nothing.
 */
export type WeightsSource = ModelSource | UntrainedNetwork;

/**
 * A model's file, or its files: `{ xml, bin }` is an OpenVINO model, `{ json, bin }` a TensorFlow.js graph model. Of an address that
 * ends in `.xml` or `.json` the files with the numbers, which lie beside it, are fetched as well.
 */
export type ModelSource = ModelFile | OpenVinoModel | TensorFlowModel;

/** Bytes, or where to fetch them. */
export type ModelFile = string | URL | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface OpenVinoModel {
  /** What the network is. */
  readonly xml: ModelFile;
  /** Its numbers. */
  readonly bin: ModelFile;
}

export interface TensorFlowModel {
  /** What the network is: the `model.json`. */
  readonly json: ModelFile;
  /** Its numbers, in one file or in several, in the order in which the `model.json` lists them. */
  readonly bin: ModelFile | readonly ModelFile[];
}

export interface UntrainedNetwork {
  /** "osnet_x0_25", "reid_resnet50", … */
  readonly untrained: string;
}

/** A model as its owner has it, and its name, whose ending helps to tell the format. */
export interface ModelFiles {
  readonly content: Blob;
  /** The numbers of a model that keeps them apart. */
  readonly bin?: Blob | undefined;
  readonly name: string;
}

export type WeightsFile =
  | ModelFiles
  | { readonly content: UntrainedNetwork; readonly bin?: undefined; readonly name: string };

const INPUT: Rules<InputOptions> = {
  order: oneOf("rgb", "bgr"),
  range: oneOf("0-1", "0-255", "imagenet"),
  height: [Number.isInteger, "a whole number of pixels"],
  width: [Number.isInteger, "a whole number of pixels"],
  filter: oneOf("bilinear", "bicubic", "linear"),
  fit: [isFit, '"stretch", "letterbox" or "letterbox:#rrggbb"'],
};

function isFit(value: unknown): boolean {
  return typeof value === "string" && /^(stretch|letterbox(:#[0-9a-fA-F]{6})?)$/.test(value);
}

/** Refuses what is no description of an input. */
export function checkInput(input: InputOptions | undefined): InputOptions | undefined {
  checkOptions("input", input, INPUT);
  return input;
}

/** Far above any re-identification network (ResNet-101: 170 MB); WebAssembly could not hold a file much larger. */
const MAX_WEIGHTS_BYTES = 1024 ** 3;

/** The models that come with the package, by the name that `weights` takes. */
const PRESETS = {
  "webreid-small": () =>
    addressOf("webreid-small.safetensors", new URL("./webreid-small.safetensors", import.meta.url)),
};
const DEFAULT_PRESET = "webreid-small";

/** A string is an address when it looks like one; everything else is taken for the name of a preset. */
const ADDRESS = /[/:]|\.(safetensors|pth|pt|tar|onnx|xml|json|bin)$/i;

export async function loadWeights(
  source: WeightsSource = DEFAULT_PRESET,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WeightsFile> {
  if (typeof source === "string" && !isPresetName(source) && !ADDRESS.test(source)) {
    const names = Object.keys(PRESETS).join('", "');
    throw new ReidError(
      "unknown-preset",
      `There is no preset called "${source}", only "${names}". For a file beside the page, write "./${source}".`,
    );
  }
  if (isObject(source) && "untrained" in source) {
    return { content: { untrained: String(source.untrained) }, name: "untrained" };
  }
  return loadModelFiles(isPresetName(source) ? PRESETS[source]() : source, "weights", onProgress, signal);
}

/** The detector that comes with the package. */
const detector = () => addressOf("nanodet-g.safetensors", new URL("./nanodet-g.safetensors", import.meta.url));

/** Files fetched before they are needed, by their addresses. */
const kept = new Map<string, Blob>();

export function keepWeights(onProgress: OnProgress | undefined, signal: AbortSignal | undefined): Promise<void> {
  return keep(PRESETS[DEFAULT_PRESET](), "weights", onProgress, signal);
}

export function keepDetector(onProgress: OnProgress | undefined, signal: AbortSignal | undefined): Promise<void> {
  return keep(detector(), "detector", onProgress, signal);
}

async function keep(
  url: URL,
  what: "weights" | "detector",
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!kept.has(url.href)) kept.set(url.href, (await loadFile(url, what, onProgress, signal)).content);
}

export function loadDetector(
  source: ModelSource = detector(),
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  return loadModelFiles(source, "detector", onProgress, signal);
}

async function loadModelFiles(
  source: ModelSource,
  what: "weights" | "detector",
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<ModelFiles> {
  const load = (file: ModelFile) => loadFile(file, what, onProgress, signal);
  if (isObject(source) && "bin" in source && ("xml" in source || "json" in source)) {
    const { content, name } = await load("xml" in source ? source.xml : source.json);
    const bins: readonly ModelFile[] = Array.isArray(source.bin) ? source.bin : [source.bin];
    return { content, bin: await joined(bins, load), name };
  }
  if (typeof source !== "string" && !(source instanceof URL)) return load(source as ModelFile);
  const url = resolveUrl(source);
  const file = await load(url);
  const path = url.pathname.toLowerCase();
  if (path.endsWith(".xml")) {
    const beside = new URL(url);
    beside.pathname = url.pathname.replace(/xml$/i, "bin");
    return { ...file, bin: await joined([beside], load) };
  }
  if (!path.endsWith(".json")) return file;
  // It names files beside it or below, and no others.
  const shards = await callFormats("tfjsShards", file, onProgress, signal);
  const addresses = shards.map((shard) => new URL(shard.split("/").map(encodeURIComponent).join("/"), url));
  return { ...file, bin: await joined(addresses, load) };
}

/** Files one behind the other, which are fetched one after another. */
async function joined(
  files: readonly ModelFile[],
  load: (file: ModelFile) => Promise<{ content: Blob }>,
): Promise<Blob> {
  const parts: Blob[] = [];
  for (const file of files) parts.push((await load(file)).content);
  return parts.length === 1 && parts[0] ? parts[0] : named(new Blob(parts), "the model").content;
}

async function loadFile(
  source: ModelFile,
  what: "weights" | "detector",
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<{ content: Blob; name: string }> {
  if (typeof source === "string" || source instanceof URL) {
    const url = resolveUrl(source);
    const known = kept.get(url.href);
    if (known) return { content: known, name: fileNameOf(url) };
    const blob = await download(url, {
      signal,
      onBytes: (loaded, total) => onProgress?.({ phase: "download", what, loaded, total }),
      limit: { bytes: MAX_WEIGHTS_BYTES, error: tooLarge(url.href) },
    });
    return named(blob, fileNameOf(url));
  }
  if (source instanceof Blob) return named(source, "name" in source ? String(source.name) : "weights");
  if (isBytes(source)) return named(new Blob([source]), "weights");
  throw new ReidError(
    "bad-input",
    "`weights` must be a URL, a File or Blob, an ArrayBuffer or a Uint8Array, or `{ xml, bin }` or `{ json, bin }` with these.",
  );
}

function isObject(source: unknown): source is object {
  return typeof source === "object" && source !== null;
}

function isPresetName(source: WeightsSource): source is keyof typeof PRESETS {
  return typeof source === "string" && Object.hasOwn(PRESETS, source);
}

function named(blob: Blob, name: string): { content: Blob; name: string } {
  if (blob.size > MAX_WEIGHTS_BYTES) throw tooLarge(name);
  return { content: blob, name };
}

function tooLarge(name: string): ReidError {
  return new ReidError("bad-weights", `${name} is larger than 1 GB: this is not a re-identification checkpoint.`);
}
