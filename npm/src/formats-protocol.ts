// What is asked of the worker that reads and writes models of other programs.
import type { About, InputOptions } from "./engine.js";

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
  /** A detector of people; the reply is a file of ours. */
  convertDetector: {
    request: {
      module: WebAssembly.Module;
      content: Blob;
      bin?: Blob | undefined;
      name: string;
      input?: InputOptions | undefined;
    };
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
