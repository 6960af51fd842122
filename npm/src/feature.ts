import { ReidError } from "./errors.js";

/**
 * What the network makes of one image of a person: a direction in space, of length 1. Alike people point alike.
 * A copy by `slice`, `map` or `structuredClone` is a plain `Float32Array`, without the quality.
 */
export class Feature extends Float32Array<ArrayBuffer> {
  /** How much the picture can tell, 0 (nothing to see) to 1, by its size, contrast and sharpness; knows nothing of people. */
  readonly quality: number;

  /** Takes the values over, without a copy. */
  constructor(values: Float32Array<ArrayBuffer>, quality: number) {
    super(values.buffer, values.byteOffset, values.length);
    this.quality = quality;
  }

  static get [Symbol.species](): Float32ArrayConstructor {
    return Float32Array;
  }
}

/** Cosine of the angle between two features, −1…1. A zero vector is like nothing: 0. */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length || a.length === 0) {
    throw new ReidError(
      "bad-input",
      `Features of ${a.length} and ${b.length} numbers cannot be compared: they are of different models.`,
    );
  }
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const scale = Math.sqrt(aa * bb);
  return scale === 0 ? 0 : Math.max(-1, Math.min(1, dot / scale));
}
