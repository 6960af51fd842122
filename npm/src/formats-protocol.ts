// What is asked of the worker that reads and writes models of other programs.
import type { EngineDescription } from "./engine.js";
import type { InputOptions } from "./weights.js";

/** What the file of a model said. */
export type About = Pick<
  EngineDescription,
  "architecture" | "dialect" | "summary" | "missing" | "unexpected" | "assumed"
>;

/** A file of ours, and what the one that it was made of said. */
export interface Converted {
  readonly weights: Uint8Array<ArrayBuffer>;
  readonly about: About;
}

/** The generated glue, typed as the Rust side promises it (src/web/formats.rs). */
export interface FormatsGlue {
  default(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** Of an OpenVINO model, `weights` is the `.xml`. */
  convert(weights: Uint8Array, fileName: string, bin?: Uint8Array, input?: InputOptions): Converted;
  /** A network of random weights, by the name of a preset. */
  untrained(preset: string, input?: InputOptions): Converted;
  toOnnx(weights: Uint8Array): Uint8Array<ArrayBuffer>;
}

export interface FormatsCalls {
  convert: {
    request: {
      module: WebAssembly.Module;
      content: Blob;
      bin?: Blob | undefined;
      name: string;
      input?: InputOptions | undefined;
    };
    reply: { weights: Blob; about: About };
  };
  untrained: {
    request: { module: WebAssembly.Module; preset: string; input?: InputOptions | undefined };
    reply: { weights: Blob; about: About };
  };
  toOnnx: { request: { module: WebAssembly.Module; weights: Blob }; reply: Blob };
}
