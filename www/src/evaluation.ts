// Whether learning made a model tell labelled photos apart better. Knows nothing of pages and engines: tests run it by itself.

/** A photo, or whatever stands for one, and whom it shows. */
export interface Labelled<P> {
  readonly photo: P;
  readonly person: number;
  /** Which camera took it, where that is known. */
  readonly camera?: string | undefined;
}

export interface Split<P> {
  /** To learn from. */
  readonly training: Labelled<P>[];
  /** Kept aside to see whether that helped: never learnt from. */
  readonly keptAside: Labelled<P>[];
}

/** So many photos of a person, and one is kept aside: two are left, which is what it takes to learn. */
const ENOUGH_TO_KEEP_ONE = 3;

/** Keeps the last photo of each person aside who has three or more: the same ones each time. */
export function keepSomeAside<P>(people: readonly { readonly id: number; readonly photos: Iterable<P> }[]): Split<P> {
  const split: Split<P> = { training: [], keptAside: [] };
  for (const { id, photos } of people) {
    const labelled = [...photos].map((photo) => ({ photo, person: id }));
    const last = labelled.length >= ENOUGH_TO_KEEP_ONE ? labelled.pop() : undefined;
    if (last) split.keptAside.push(last);
    split.training.push(...labelled);
  }
  return split;
}

export interface Scores {
  /** Searches made: one a photo kept aside that has another of its person to find. */
  readonly searches: number;
  /** Searches whose first match was the right person ("rank-1", as a count). */
  readonly firstRight: number;
  /** Mean average precision, 0…1: 1 when all photos of the right person come before all others. */
  readonly meanAveragePrecision: number;
}

export type Verdict = "better" | "same" | "worse";

/** Half a percent of precision is no difference that anyone would see. */
const NOTICEABLE = 0.005;

/** Whether it helped: by the precision, which sees every match, and where that is the same, by the first ones. */
export function verdict(before: Scores, after: Scores): Verdict {
  const gain = after.meanAveragePrecision - before.meanAveragePrecision;
  const difference = Math.abs(gain) >= NOTICEABLE ? gain : after.firstRight - before.firstRight;
  if (difference === 0) return "same";
  return difference > 0 ? "better" : "worse";
}
