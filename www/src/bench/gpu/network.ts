// What a network gives on the GPU, held against the CPU, and how fast.
import { ReIdentifier } from "webreid";
import { messageOf } from "../../errors.ts";
import { quantile } from "../measure.ts";
import { noiseImages } from "../noise.ts";
import { ALLOWED, type CheckedNetwork, IMAGES } from "./plan.ts";
import type { Compared, Precision, Speed, SpeedRow } from "./report.ts";

/** Images that are not alike: of more of them some come again, which takes as long. */
const DIFFERENT = 8;
/** A batch size is timed that often and that long, unless the time is up before. */
const FEWEST_CALLS = 3;
const ENOUGH_MS = 1000;

/** A network on the GPU. */
export class OnGpu {
  readonly precision: Precision;
  readonly #network: CheckedNetwork;
  readonly #reid: ReIdentifier;
  readonly #images: readonly ImageData[];
  readonly #signal: AbortSignal;
  /** Milliseconds an image, as measured last. */
  #perImage: number | undefined;

  private constructor(network: CheckedNetwork, reid: ReIdentifier, signal: AbortSignal) {
    const { precision, inputWidth, inputHeight } = reid.describe();
    this.precision = precision;
    this.#network = network;
    this.#reid = reid;
    this.#images = noiseImages(DIFFERENT, inputWidth, inputHeight);
    this.#signal = signal;
  }

  static async open(network: CheckedNetwork, signal: AbortSignal): Promise<OnGpu> {
    const { weights, input } = network;
    const reid = await ReIdentifier.create({ weights, input, device: "gpu", workers: 1, signal });
    const { device, deviceReason } = reid.describe();
    if (device === "gpu") return new OnGpu(network, reid, signal);
    // The CPU beside itself would say nothing of the GPU.
    await reid.dispose();
    throw new Error(deviceReason);
  }

  async close(): Promise<void> {
    await this.#reid.dispose();
  }

  /** Features of the same images on the CPU and here. */
  async compare(): Promise<Compared> {
    const { weights, input } = this.#network;
    const signal = this.#signal;
    const cpu = await ReIdentifier.create({ weights, input, device: "cpu", workers: 1, signal });
    try {
      const [found, expected] = [await this.#features(this.#reid), await this.#features(cpu)];
      const largest = Math.max(...expected.map((values) => most(values.map(Math.abs))));
      const differences = found.map((values, i) => most(values.map((x, k) => Math.abs(x - (expected[i]?.[k] ?? 0)))));
      const difference = most(differences) / largest;
      const allowed = ALLOWED[this.precision];
      return {
        precision: this.precision,
        images: IMAGES,
        difference,
        cosine: -most(found.map((values, i) => -cosine(values, expected[i] ?? values))),
        allowed,
        right: difference <= allowed,
      };
    } finally {
      await cpu.dispose();
    }
  }

  async #features(reid: ReIdentifier): Promise<Float32Array[]> {
    const features = await reid.extract(this.#images.slice(0, IMAGES), { signal: this.#signal });
    return features.map(({ values }) => values);
  }

  /** `best`: FLOP/s of the best product in this precision. */
  async measure(batch: number, budget: number, best: number | undefined): Promise<SpeedRow> {
    const row = { network: this.#network.key, batch };
    // A call that is not timed, and one that is.
    const expected = this.#perImage === undefined ? 0 : (2 * this.#perImage * batch) / 1000;
    if (expected > budget) {
      return { ...row, outcome: "skipped", reason: `would take about ${Math.ceil(expected)} s` };
    }
    try {
      const times = await this.#calls(batch, budget);
      const ms = quantile(times, 0.5);
      this.#perImage = ms / batch;
      const flops = (2e9 * this.#network.gmac * batch) / (ms / 1000);
      const speed: Speed = {
        precision: this.precision,
        imagesPerSecond: (1000 * batch) / ms,
        ms,
        calls: times.length,
        gflops: flops / 1e9,
        share: best && flops / best,
      };
      return { ...row, outcome: "measured", speed };
    } catch (error) {
      return { ...row, outcome: "failed", reason: messageOf(error) };
    }
  }

  /** Milliseconds of calls, ascending. */
  async #calls(batch: number, budget: number): Promise<number[]> {
    const images = Array.from({ length: batch }, (_, i) => this.#images[i % DIFFERENT] as ImageData);
    const times: number[] = [];
    const begun = performance.now();
    // The first makes room on the GPU.
    await this.#reid.extract(images, { signal: this.#signal });
    const isEnough = () => times.length >= FEWEST_CALLS && times.reduce((sum, ms) => sum + ms, 0) >= ENOUGH_MS;
    while (times.length === 0 || (!isEnough() && performance.now() - begun < 1000 * budget)) {
      const start = performance.now();
      await this.#reid.extract(images, { signal: this.#signal });
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
  }
}

/** NaN where there is one. */
function most(values: ArrayLike<number>): number {
  return Math.max(...Array.from(values));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
