import type { Contender, Run } from "./contender.ts";
import type { GpuCounters } from "./gpu-tally.ts";

/** Each contender is timed that often and that long, unless the time is up before. */
const FEWEST_TURNS = 3;
const ENOUGH_MS = 2000;
/** A turn has as many calls as it takes: single short ones would be timed with the other's traces still in the caches. */
const TURN_MS = 100;
/** Between turns: threads may wait for more work awake for a while, which is not the other's to pay for. */
const REST_MS = 10;

export interface Measured {
  readonly device: string;
  readonly precision: "f16" | "f32";
  readonly imagesPerSecond: number;
  /** A call: the median, and between which the middle half of them lies. */
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  readonly calls: number;
  /** The first call after loading. */
  readonly firstMs: number;
  readonly gpu: GpuCounters | undefined;
}

export interface Comparison {
  readonly webreid: Measured;
  readonly onnxruntime: Measured;
  /** Above 1 webreid is faster. */
  readonly ratio: number;
  /** Between two numbers of a feature. */
  readonly largestDifference: number;
}

/**
 * Times the two on the same images by turns. `seconds` is how long that may take, first calls included; `webreidFirst` says
 * whose turn comes first, and then alternates, so that neither always follows the other.
 */
export async function compare(
  ours: Timing,
  theirs: Timing,
  batch: number,
  { seconds, webreidFirst, onTurn }: { seconds: number; webreidFirst: boolean; onTurn: (share: number) => void },
): Promise<Comparison> {
  const order = webreidFirst ? [ours, theirs] : [theirs, ours];
  const start = performance.now() - ours.firstMs - theirs.firstMs;
  const largestDifference = difference(ours.features, theirs.features);
  for (let turns = 0; ; turns++) {
    const spent = (performance.now() - start) / (1000 * seconds);
    const enough = Math.min(turns / FEWEST_TURNS, ...order.map(({ total }) => total / ENOUGH_MS));
    onTurn(Math.min(1, Math.max(spent, enough)));
    if (enough >= 1 || (turns > 0 && spent >= 1)) break;
    for (const timing of turns % 2 === 0 ? order : [...order].reverse()) {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      await timing.turn();
    }
  }
  const measured = { webreid: await ours.measured(batch), onnxruntime: await theirs.measured(batch) };
  return { ...measured, ratio: measured.onnxruntime.ms / measured.webreid.ms, largestDifference };
}

/** How long the calls of one contender take. */
export class Timing {
  readonly #contender: Contender;
  readonly #times: number[] = [];
  readonly firstMs: number;
  /** Of the first call. */
  readonly features: readonly Float32Array[];

  private constructor(contender: Contender, { ms, features }: Run) {
    this.#contender = contender;
    this.firstMs = ms;
    this.features = features;
  }

  /** Makes the first call of a contender that was just loaded. */
  static async start(contender: Contender): Promise<Timing> {
    return new Timing(contender, await contender.run());
  }

  /** Milliseconds of all calls after the first. */
  get total(): number {
    return this.#times.reduce((sum, ms) => sum + ms, 0);
  }

  async turn(): Promise<void> {
    for (let spent = 0; spent < TURN_MS; ) {
      const { ms } = await this.#contender.run();
      this.#times.push(ms);
      spent += ms;
    }
  }

  async measured(batch: number): Promise<Measured> {
    const sorted = [...this.#times].sort((a, b) => a - b);
    const ms = quantile(sorted, 0.5);
    return {
      device: this.#contender.device,
      precision: this.#contender.precision,
      imagesPerSecond: (1000 * batch) / ms,
      ms,
      quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
      calls: sorted.length,
      firstMs: this.firstMs,
      gpu: await this.#contender.gpuCounters(),
    };
  }
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
}

function difference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const sameShape = a.length === b.length && a.every((feature, i) => feature.length === b[i]?.length);
  if (!sameShape) throw new Error("The two gave features of different lengths.");
  return Math.max(...a.map((row, i) => row.reduce((most, x, k) => Math.max(most, Math.abs(x - (b[i]?.[k] ?? 0))), 0)));
}
