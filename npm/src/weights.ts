import { download, fileNameOf, resolveUrl } from "./download.js";
import type { InputOptions } from "./engine.js";
import { ReidError } from "./errors.js";
import { checkOptions, oneOf, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";

/**
 * A checkpoint: its bytes, where to fetch it, or the name of a model that comes with the package ("webreid-small").
 * `{ xml, bin }` is an OpenVINO model, which is two files; of an address that ends in `.xml` the `.bin` beside it is fetched
 * as well. `{ untrained }` is a network by its name with weights drawn at random, to measure how fast it runs: its features
 * mean nothing.
 */
export type WeightsSource = ModelFile | OpenVinoModel | UntrainedNetwork;

/** Bytes, or where to fetch them. */
export type ModelFile = string | URL | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface OpenVinoModel {
  /** What the network is. */
  readonly xml: ModelFile;
  /** Its numbers. */
  readonly bin: ModelFile;
}

export interface UntrainedNetwork {
  /** "osnet_x0_25", "reid_resnet50", … */
  readonly untrained: string;
}

/** A model's file as its owner has it, and its name, whose ending helps to tell the format. */
export interface WeightsFile {
  readonly content: Blob | UntrainedNetwork;
  /** The numbers of an OpenVINO model. */
  readonly bin?: Blob | undefined;
  readonly name: string;
}

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
const PRESETS = { "webreid-small": new URL("./webreid-small.safetensors", import.meta.url) };
const DEFAULT_PRESET = "webreid-small";

/** A string is an address when it looks like one; everything else is taken for the name of a preset. */
const ADDRESS = /[/:]|\.(safetensors|pth|pt|tar|onnx|xml|bin)$/i;

export async function loadWeights(
  source: WeightsSource = DEFAULT_PRESET,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<WeightsFile> {
  if (typeof source === "string" && !isPreset(source) && !ADDRESS.test(source)) {
    const names = Object.keys(PRESETS).join('", "');
    throw new ReidError(
      "unknown-preset",
      `There is no preset called "${source}", only "${names}". For a file beside the page, write "./${source}".`,
    );
  }
  if (isObject(source) && "untrained" in source) {
    return { content: { untrained: String(source.untrained) }, name: "untrained" };
  }
  const load = (file: ModelFile) => loadFile(file, onProgress, signal);
  if (isObject(source) && "xml" in source && "bin" in source) {
    const { content, name } = await load(source.xml);
    return { content, bin: (await load(source.bin)).content, name };
  }
  const url = typeof source === "string" || source instanceof URL ? address(source) : undefined;
  const file = await load(url ?? source);
  if (!url?.pathname.toLowerCase().endsWith(".xml")) return file;
  const beside = new URL(url);
  beside.pathname = url.pathname.replace(/xml$/i, "bin");
  return { ...file, bin: (await load(beside)).content };
}

async function loadFile(
  source: ModelFile,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<{ content: Blob; name: string }> {
  if (typeof source === "string" || source instanceof URL) {
    const url = address(source);
    const blob = await download(url, {
      signal,
      onBytes: (loaded, total) => onProgress?.({ phase: "download", what: "weights", loaded, total }),
      limit: { bytes: MAX_WEIGHTS_BYTES, error: tooLarge(url.href) },
    });
    return named(blob, fileNameOf(url));
  }
  if (source instanceof Blob) return named(source, source instanceof File ? source.name : "weights");
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) return named(new Blob([source]), "weights");
  throw new ReidError(
    "bad-input",
    "`weights` must be a URL, a File or Blob, an ArrayBuffer or a Uint8Array, or `{ xml, bin }` with two of these.",
  );
}

function isObject(source: unknown): source is object {
  return typeof source === "object" && source !== null;
}

function address(source: string | URL): URL {
  return isPreset(source) ? PRESETS[source] : resolveUrl(source);
}

function isPreset(source: string | URL): source is keyof typeof PRESETS {
  return typeof source === "string" && Object.hasOwn(PRESETS, source);
}

function named(blob: Blob, name: string): { content: Blob; name: string } {
  if (blob.size > MAX_WEIGHTS_BYTES) throw tooLarge(name);
  return { content: blob, name };
}

function tooLarge(name: string): ReidError {
  return new ReidError("bad-weights", `${name} is larger than 1 GB: this is not a re-identification checkpoint.`);
}
