import { ReidError } from "./errors.js";
import { listOf } from "./lists.js";
import { loadModule } from "./module.js";
import { A_FUNCTION, A_SIGNAL, checkOptions, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";
import { keepDetector, keepWeights } from "./weights.js";

export interface PreloadOptions {
  /** Default: "engine" and "weights", which is what `ReIdentifier.create()` needs. */
  readonly what?: Iterable<PreloadName> | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What can be fetched before it is needed: `engine` looks at images, `weights` are the model that comes along, `detector` finds
 * people in photos, `people` ranks and keeps galleries, `formats` reads models of other programs, `trainer` learns.
 */
export type PreloadName = "engine" | "formats" | "trainer" | "people" | "weights" | "detector";

const OPTIONS: Rules<PreloadOptions> = {
  what: [(value) => typeof value === "object" && value !== null && Symbol.iterator in value, "a list of names"],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

/**
 * Fetches and compiles what is needed later, all at once: the first calls find it there. Rejects with a `ReidError`: `http`,
 * `network`, `blocked`, `bad-input`, `aborted` or `internal`.
 */
export async function preload(options: PreloadOptions = {}): Promise<void> {
  checkOptions("options", options, OPTIONS);
  const { what = ["engine", "weights"], onProgress, signal } = options;
  const load = (name: PreloadName): Promise<unknown> => {
    switch (name) {
      case "weights":
        return keepWeights(onProgress, signal);
      case "detector":
        return keepDetector(onProgress, signal);
      case "engine":
      case "formats":
      case "trainer":
      case "people":
        return loadModule(name, onProgress, signal);
      default:
        throw new ReidError("bad-input", `There is no "${name}" to preload.`);
    }
  };
  await Promise.all(listOf(what, "`options.what`").map(load));
}
