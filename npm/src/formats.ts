// Models of other programs become files of ours before a model's worker sees them, and the other way round.
import { Connection } from "./connection.js";
import type { About, InputOptions } from "./engine.js";
import { abortable, ReidError, throwIfAborted } from "./errors.js";
import type { FormatsCalls } from "./formats-protocol.js";
import { keepLicence } from "./licence.js";
import { loadModule } from "./module.js";
import type { OnProgress } from "./progress.js";
import { runtime } from "./runtime.js";
import type { ModelFiles, WeightsFile } from "./weights.js";

/** A file that a model's worker takes. */
export interface OwnWeights {
  readonly content: Blob;
  readonly name: string;
  /** What the file said that it was made of. */
  readonly about?: About | undefined;
}

const ENDED = new ReidError("aborted", "Nobody waits for this any more.");

/** How safetensors files of ours begin, after the eight bytes of the header's length. */
const OURS = { model: '{"__metadata__":{"webreid":', detector: '{"__metadata__":{"webreid-detector":' };

/** The file as a model's worker takes it. Where it is one already, and nobody says anything of its images, nothing is fetched. */
export async function toOwnWeights(
  { content, bin, name }: WeightsFile,
  input: InputOptions | undefined,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<OwnWeights> {
  if (content instanceof Blob) {
    if (!bin && !input && (await begins(content, OURS.model))) {
      return { content: await keepLicence(content, content), name };
    }
    const { weights, about } = await callFormats("convert", { content, bin, name, input }, onProgress, signal);
    return { content: await keepLicence(weights, content), name, about };
  }
  const request = { preset: content.untrained, input };
  const { weights, about } = await callFormats("untrained", request, onProgress, signal);
  return { content: weights, name, about };
}

/** A detector as its worker takes it. */
export async function toOwnDetector(
  { content, bin, name }: ModelFiles,
  input: InputOptions | undefined,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<OwnWeights> {
  if (!bin && !input && (await begins(content, OURS.detector))) return { content, name };
  return { content: await callFormats("convertDetector", { content, bin, name, input }, onProgress, signal), name };
}

/** One call in a worker of its own, which ends with it. */
export async function callFormats<K extends keyof FormatsCalls>(
  call: K,
  request: Omit<FormatsCalls[K]["request"], "module">,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<FormatsCalls[K]["reply"]> {
  const module = await loadModule("formats", onProgress, signal);
  throwIfAborted(signal);
  const connection = new Connection<FormatsCalls>(runtime.startWorker("formats-worker"));
  try {
    const answer = connection.call(call, { ...request, module } as FormatsCalls[K]["request"]);
    return (await abortable(answer, signal)).value;
  } finally {
    connection.close(ENDED);
  }
}

async function begins(file: Blob, start: string): Promise<boolean> {
  return (await file.slice(8, 8 + start.length).text()) === start;
}
