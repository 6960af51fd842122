// What is asked of the worker that reads and writes models of other programs.
import type { About, InputOptions } from "./engine.js";

interface ConvertRequest {
  readonly module: WebAssembly.Module;
  readonly content: Blob;
  /** The numbers of a model that keeps them apart. */
  readonly bin?: Blob | undefined;
  readonly name: string;
  readonly input?: InputOptions | undefined;
}

export interface FormatsCalls {
  convert: {
    request: ConvertRequest;
    reply: { weights: Blob; about: About };
  };
  /** A detector of people; the reply is a file of ours. */
  convertDetector: {
    request: ConvertRequest;
    reply: Blob;
  };
  /** The files with the numbers of a TensorFlow.js model, relative to its `model.json`. */
  tfjsShards: { request: { module: WebAssembly.Module; content: Blob; name: string }; reply: string[] };
  untrained: {
    request: { module: WebAssembly.Module; preset: string; input?: InputOptions | undefined };
    reply: { weights: Blob; about: About };
  };
  toOnnx: { request: { module: WebAssembly.Module; weights: Blob }; reply: Blob };
}
