/**
 * `notOnePerson`: the picture is wide, as photos of scenes are and crops of a person are not. Photos of one place are alike whoever
 * is on them: `PersonDetector` finds the people first.
 */
export type QualityFlag = "notOnePerson";

/**
 * A feature in the form in which it is kept: what `JSON.parse(JSON.stringify(feature))`, `structuredClone`, `postMessage` and
 * IndexedDB make of one.
 */
export interface FeatureData {
  /** As many as the model's `featureDim`, together of length 1. */
  readonly values: ArrayLike<number>;
  /** How much the picture can tell, 0 (nothing to see) to 1, by its size, contrast and sharpness; knows nothing of people. */
  readonly quality: number;
  /** What makes a bad match likely: nothing, in what was kept before there were flags. */
  readonly flags?: readonly QualityFlag[] | undefined;
  /** Of the model, as its `describe()` tells it: features are comparable where it is the same. */
  readonly fingerprint: string;
}

/** What the network makes of one image of a person: a direction in space, of length 1. Alike people point alike. */
export class Feature implements FeatureData {
  readonly values: Float32Array<ArrayBuffer>;
  readonly quality: number;
  readonly flags: readonly QualityFlag[];
  readonly fingerprint: string;

  constructor(values: Float32Array<ArrayBuffer>, quality: number, flags: readonly QualityFlag[], fingerprint: string) {
    this.values = values;
    this.quality = quality;
    this.flags = flags;
    this.fingerprint = fingerprint;
  }

  /** How many values there are. */
  get length(): number {
    return this.values.length;
  }

  /** Goes through the values. */
  [Symbol.iterator](): ArrayIterator<number> {
    return this.values[Symbol.iterator]();
  }

  /** With `values` as an array: as it is, JSON would make an object of them. */
  toJSON(): FeatureData & { readonly values: number[] } {
    const { quality, flags, fingerprint } = this;
    return { values: Array.from(this.values), quality, flags, fingerprint };
  }
}
