// The generated glue, typed as the Rust side promises it (src/web); wasm-bindgen itself knows objects only as `any`.
import type { ReidErrorData } from "./errors.js";

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
  /** Length of a feature. */
  readonly featureDim: number;
  /** What images are resized to, in pixels. */
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly device: "gpu" | "cpu";
  /** The graphics adapter's name, or "CPU". */
  readonly adapter: string;
  /** How many numbers were learnt. */
  readonly parameters: number;
}

export interface Pixels {
  /** RGBA, 8 bits each, row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

export type Extraction = { readonly feature: Float32Array<ArrayBuffer>; readonly quality: number } | ReidErrorData;

export interface Engine {
  describe(): EngineDescription;
  extract(images: Array<Uint8Array | Pixels>, names: string[]): Promise<Extraction[]>;
  exportWeights(): Promise<Uint8Array<ArrayBuffer>>;
}

export interface EngineGlue {
  default(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  readonly Engine: { create(weights: Uint8Array, fileName: string, device: "gpu" | "cpu"): Promise<Engine> };
}
