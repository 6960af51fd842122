import { ReIdentifier } from "webreid";
import type { Contender, Run } from "./contender.ts";
import type { GpuCounters } from "./gpu-tally.ts";
import type { Network, Setting } from "./plan.ts";

/** webreid as any page uses it: what is timed is all of `extract`, from the image to the feature. */
export class Webreid implements Contender {
  readonly device: string;
  readonly precision: "f16" | "f32";
  readonly #reid: ReIdentifier;
  readonly #images: readonly ImageData[];

  private constructor(reid: ReIdentifier, images: readonly ImageData[]) {
    this.#reid = reid;
    this.#images = images;
    ({ adapter: this.device, precision: this.precision } = reid.describe());
  }

  static async open(
    { weights, input }: Network,
    { device, threads }: Setting,
    images: readonly ImageData[],
    signal: AbortSignal,
  ): Promise<Webreid> {
    return new Webreid(await ReIdentifier.create({ weights, input, device, workers: threads, signal }), images);
  }

  async run(): Promise<Run> {
    const start = performance.now();
    const features = await this.#reid.extract(this.#images);
    return { ms: performance.now() - start, features: features.map(({ values }) => values) };
  }

  gpuCounters(): Promise<GpuCounters | undefined> {
    return this.#reid.gpuCounters();
  }

  close(): void {
    void this.#reid.dispose();
  }
}

/** A network as ONNX, with what there is to know of it. */
export interface OnnxModel {
  readonly file: Blob;
  readonly architecture: string;
  readonly parameters: number;
  readonly width: number;
  readonly height: number;
}

export async function exportOnnx({ weights, input }: Network, signal: AbortSignal): Promise<OnnxModel> {
  const reid = await ReIdentifier.create({ weights, input, device: "cpu", workers: 1, signal });
  try {
    const { architecture, parameters, inputWidth: width, inputHeight: height } = reid.describe();
    return { file: await reid.exportOnnx(), architecture, parameters, width, height };
  } finally {
    await reid.dispose();
  }
}
