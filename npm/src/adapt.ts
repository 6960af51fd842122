import type { Name } from "./indexed.js";
import { checkOptions, oneOf, type Rules } from "./options.js";
import type { Adaptation } from "./people-protocol.js";

/**
 * What is done to features before they are ranked. By default nothing, which is the published protocol. What is decided is told
 * in `said`.
 */
export interface AdaptOptions {
  /**
   * `centre`: each camera's mean is taken off its photos' features, so that photos of different cameras can be compared.
   * `standardise`: that, and each value divided by the camera's deviation. Photos whose camera is unknown take the mean of all.
   */
  readonly cameras?: "none" | "centre" | "standardise" | undefined;
  /**
   * Features learn from those nearest to them: `nfc` from their mutual nearest neighbours, `aqe` queries from what they find
   * (α-query-expansion); `auto`: `nfc` where people have many photos.
   */
  readonly expand?: "none" | "nfc" | "aqe" | "auto" | undefined;
  /** Re-ranking with k-reciprocal neighbours (k1 20, k2 6, λ 0.3); `auto`: where people have many photos. */
  readonly rerank?: boolean | "auto" | undefined;
}

const ADAPT: Rules<AdaptOptions> = {
  cameras: oneOf("none", "centre", "standardise"),
  expand: oneOf("none", "nfc", "aqe", "auto"),
  rerank: oneOf(true, false, "auto"),
};

export function adaptation(adapt: AdaptOptions | undefined, cameraNames: readonly Name[]): Adaptation {
  checkOptions("adapt", adapt, ADAPT);
  const { cameras = "none", expand = "none", rerank = false } = adapt ?? {};
  const word = rerank === "auto" ? "auto" : rerank ? "always" : "never";
  return { cameras, expand, rerank: word, cameraNames: cameraNames.map(String) };
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** The order of cameras: cam2 comes before cam10. */
export function byName(a: Name, b: Name): number {
  return COLLATOR.compare(String(a), String(b));
}

/** Whether it can stand for a camera: a name, a number, or nothing where the camera is unknown. */
export function isCamera(value: unknown): value is Name | null | undefined {
  return value === undefined || value === null || typeof value === "string" || typeof value === "number";
}
