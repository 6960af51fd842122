// How alike features are: arithmetic that needs no model.
import { ReidError } from "./errors.js";
import type { FeatureData } from "./feature.js";
import { checkOptions, type Rules } from "./options.js";

/**
 * What can be compared: a `Feature`, what was kept of one, or its values alone. Of values alone nobody can tell which model
 * they are of: that they are of the same is up to the caller.
 */
export type FeatureLike = FeatureData | ArrayLike<number>;

/** One of the gallery that a query was compared with. */
export interface Match {
  /** Its place in the gallery. */
  readonly index: number;
  /** To the query, −1…1. */
  readonly similarity: number;
}

export interface RankOptions {
  /** At most so many. Default: all. */
  readonly top?: number | undefined;
}

const RANK: Rules<RankOptions> = {
  top: [
    (top) => (Number.isInteger(top) || top === Number.POSITIVE_INFINITY) && (top as number) >= 1,
    "a whole number of at least 1",
  ],
};

/**
 * Cosine of the angle between two features, −1…1: the higher, the more alike. Not a probability. A feature of zeros is like
 * nothing: 0. Throws a `ReidError`: `other-model` for features of two models, `bad-input` for what is no feature.
 */
export function similarity(a: FeatureLike, b: FeatureLike): number {
  return cosine(vectorOf(a, "The first feature"), vectorOf(b, "The second feature"));
}

/**
 * The gallery by its similarity to the query, the most alike first, of equals the earlier one. Gaps (null), which `extract`
 * leaves for bad images, are left out. A query that is in the gallery as well finds itself. Throws as `similarity` does.
 */
export function rank(
  query: FeatureLike,
  gallery: readonly (FeatureLike | null | undefined)[],
  options: RankOptions = {},
): Match[] {
  checkOptions("options", options, RANK);
  const { top = Number.POSITIVE_INFINITY } = options;
  if (!Array.isArray(gallery)) throw new ReidError("bad-input", "The gallery must be an array of features.");
  const target = vectorOf(query, "The query");
  const matches: Match[] = [];
  for (const [index, feature] of gallery.entries()) {
    if (feature === null || feature === undefined) continue;
    matches.push({ index, similarity: cosine(target, vectorOf(feature, `Feature ${index + 1} of the gallery`)) });
  }
  return matches.sort((a, b) => b.similarity - a.similarity).slice(0, top);
}

/** Numbers that can be reckoned with. */
export interface Vector {
  /** Finite. */
  readonly values: ArrayLike<number>;
  /** The sum of their squares. */
  readonly squares: number;
  /** Of the model; undefined where nobody knows. */
  readonly fingerprint: string | undefined;
}

function cosine(a: Vector, b: Vector): number {
  checkComparable(a, b);
  const { length } = a.values;
  let dot = 0;
  for (let i = 0; i < length; i++) dot += (a.values[i] as number) * (b.values[i] as number);
  const scale = Math.sqrt(a.squares * b.squares);
  return scale === 0 ? 0 : Math.max(-1, Math.min(1, dot / scale));
}

/** Throws for vectors of two models. */
export function checkComparable(a: Vector, b: Vector): void {
  if (a.fingerprint !== undefined && b.fingerprint !== undefined && a.fingerprint !== b.fingerprint) {
    throw new ReidError(
      "other-model",
      `The features are of two models (${a.fingerprint} and ${b.fingerprint}), so that comparing them means nothing: ` +
        "extract both with one model.",
    );
  }
  if (a.values.length !== b.values.length) {
    throw new ReidError(
      "bad-input",
      `Features of ${a.values.length} and ${b.values.length} numbers cannot be compared: they are of different models.`,
    );
  }
}

/** Checks what may come from anywhere: a database, a file, another page. */
export function vectorOf(feature: unknown, what: string): Vector {
  const bare = numbersOf(feature);
  const values = bare ?? (isObject(feature) && "values" in feature ? numbersOf(feature.values, true) : undefined);
  const fingerprint = !bare && isObject(feature) && "fingerprint" in feature ? feature.fingerprint : undefined;
  if (!values || (!bare && typeof fingerprint !== "string")) {
    throw new ReidError(
      "bad-input",
      `${what} is none: it must be what \`extract\` gave, \`{ values, quality, fingerprint }\`, or its values alone.`,
    );
  }
  if (values.length === 0) throw new ReidError("bad-input", `${what} is empty.`);
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      throw new ReidError("bad-input", `${what} is damaged: its value ${i + 1} is ${value}, which is no number.`);
    }
    squares += (value as number) ** 2;
  }
  return { values, squares, fingerprint: fingerprint as string | undefined };
}

/** An array as it is; with `json`, also what JSON makes of a typed array: an object with a key for each place. */
function numbersOf(value: unknown, json = false): ArrayLike<number> | undefined {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? undefined : (value as Float32Array);
  if (!json || !isObject(value)) return undefined;
  return Object.keys(value).every((key, i) => key === String(i)) ? Object.values(value) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
