// What reads and writes models of other programs.
import type { Converted } from "./engine.js";
import type { FormatsCalls } from "./formats-protocol.js";
import type { Request } from "./protocol.js";
import type { Service } from "./serve.js";
import * as glue from "./wasm/webreid_formats.js";

export function formatsService(): Service<Request<FormatsCalls>> {
  return { handle };
}

async function handle(request: Request<FormatsCalls>): Promise<FormatsCalls[keyof FormatsCalls]["reply"]> {
  await glue.default({ module_or_path: request.module });
  switch (request.call) {
    case "convert": {
      const { content, bin, name, input } = request;
      return ours(glue.convert(await bytesOf(content), name, bin && (await bytesOf(bin)), input));
    }
    case "convertDetector": {
      const { content, bin, name, input } = request;
      const numbers = bin && (await bytesOf(bin));
      return file(glue.convertDetector(await bytesOf(content), name, numbers, input, false));
    }
    case "tfjsShards":
      return glue.tfjsShards(await bytesOf(request.content), request.name);
    case "untrained":
      return ours(glue.untrained(request.preset, request.input));
    case "toOnnx":
      return file(glue.toOnnx(await bytesOf(request.weights)));
  }
}

function ours({ weights, about }: Converted): FormatsCalls["convert"]["reply"] {
  return { weights: file(weights), about };
}

function file(content: Uint8Array<ArrayBuffer>): Blob {
  return new Blob([content], { type: "application/octet-stream" });
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}
