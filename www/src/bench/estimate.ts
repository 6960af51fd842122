import type { Combination, Network } from "./plan.ts";

/** Calls that a combination needs at the least of each contender: the first, and those that are timed. */
const FEWEST_CALLS = 4;

interface Measured {
  readonly network: Network;
  readonly batch: number;
  /** Seconds an image, of both contenders together. */
  readonly perImage: number;
}

/** Guesses how long a combination would take from those that were measured before it in the same setting. */
export class Estimate {
  readonly #measured = new Map<string, Measured[]>();

  learn({ setting, network, batch }: Combination, perImage: number): void {
    const known = this.#measured.get(setting.key) ?? [];
    this.#measured.set(setting.key, [...known, { network, batch, perImage }]);
  }

  /** Seconds; undefined where nothing was measured to tell. */
  seconds({ setting, network, batch }: Combination): number | undefined {
    const known = this.#measured.get(setting.key) ?? [];
    const same = known.filter((one) => one.network === network).at(-1);
    // Small networks keep a processor less busy, so the largest tells best.
    const nearest = same ?? [...known].sort((a, b) => a.network.cost - b.network.cost).at(-1);
    return nearest && (nearest.perImage * network.cost * batch * FEWEST_CALLS) / nearest.network.cost;
  }
}
