import { ReidError } from "./errors.js";
import { checkComparable, type FeatureLike, type Vector, vectorOf } from "./similarity.js";

/** A feature, and where it was handed over. */
export interface GivenFeature {
  readonly feature: FeatureLike;
  readonly index: number;
  /** "Feature 3" */
  readonly name: string;
}

/** Features of one model, row after row. */
export interface Matrix {
  /** `[count, dim]` */
  readonly rows: Float32Array<ArrayBuffer>;
  readonly dim: number;
}

/**
 * Copies features into a matrix, which others of their model, `known`, may have gone before. Throws `other-model`, or
 * `bad-input`, with the one at fault as the error's `image`.
 */
export function matrixOf(features: readonly GivenFeature[], known?: Vector): Matrix & { readonly model?: Vector } {
  let model = known;
  let rows = new Float32Array(features.length * (known?.values.length ?? 0));
  for (const [row, { feature, index, name }] of features.entries()) {
    try {
      const vector = vectorOf(feature, name);
      const dim = vector.values.length;
      if (model) checkComparable(model, vector);
      if (row === 0 && !known) rows = new Float32Array(features.length * dim);
      if (model?.fingerprint === undefined) model = vector;
      rows.set(vector.values, row * dim);
      if (!rows.subarray(row * dim, (row + 1) * dim).every(Number.isFinite)) {
        throw new ReidError("bad-input", `${name} is damaged: it has numbers that 32 bits do not hold.`);
      }
    } catch (error) {
      if (!(error instanceof ReidError)) throw error;
      throw new ReidError(error.code, error.message, { cause: error, image: { index, name } });
    }
  }
  return { rows, dim: model?.values.length ?? 0, ...(model && { model }) };
}
