// What is asked of a worker that compares people, and the generated glue there, typed as the Rust side promises it (src/web/people).
import type { OnFraction } from "./connection.js";

export interface PeopleCalls {
  /** Comes first. */
  open: { request: { module: WebAssembly.Module }; reply: undefined };
  evaluate: {
    request: { photos: PhotosData; persons: Int32Array; single: boolean; adaptation: Adaptation };
    /** Cameras by their numbers. */
    reply: Evaluation<number>;
  };
  rankAll: { request: { photos: PhotosData; top: number; adaptation: Adaptation }; reply: RankingsData };
}

/** Photos with their features, and which of them are searched with and among. */
export interface PhotosData {
  /** Row after row, `[count, dim]`. */
  readonly rows: Float32Array<ArrayBuffer>;
  readonly dim: number;
  /** The number of each photo's camera from 0, −1 where it is unknown. */
  readonly cameras: Int32Array<ArrayBuffer>;
  /** Indices of photos. One may be both. */
  readonly queries: Uint32Array<ArrayBuffer>;
  readonly gallery: Uint32Array<ArrayBuffer>;
}

/** What is done to features before they are ranked. */
export interface Adaptation {
  readonly cameras: "none" | "centre" | "standardise";
  readonly expand: "none" | "nfc" | "aqe" | "auto";
  readonly rerank: "never" | "auto" | "always";
  /** What to call the cameras, by their numbers. */
  readonly cameraNames: readonly string[];
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Verification {
  /** Equal error rate, per cent: at one cut-off for all pairs, as many of the same person are refused as of different ones let through. */
  readonly eer: number;
  /** The similarity from which on a pair counts as one person there, −1…1, or 0…1 where the ranking is re-ranked. */
  readonly cut: number;
  /** True-match rates, per cent: of the pairs of the same person those let through where so many of different people are. */
  readonly tmr: { readonly "1e-2": number; readonly "1e-3": number; readonly "1e-4": number };
  /** Pairs of the same person, and of different people. */
  readonly same: number;
  readonly different: number;
}

/** How well features find people; the numbers that `reid evaluate --json --details` prints. */
export interface Evaluation<Camera = string | number> {
  /** Queries whose first true match is ranked first, among the first 5 and the first 10, per cent. */
  readonly rank1: number;
  readonly rank5: number;
  readonly rank10: number;
  /** Mean average precision, per cent: 100 where all true matches come before all others. */
  readonly map: number;
  /** Mean inverse negative penalty, per cent: how far up the last true match is. */
  readonly minp: number;
  /** Queries that count: those with a true match to find. */
  readonly queries: number;
  /** 95 % intervals, per cent: what the scores would be with other people like these. */
  readonly intervals: { readonly rank1: Interval; readonly map: Interval };
  /** Undefined where all pairs are of the same person, or none. */
  readonly verification?: Verification | undefined;
  /** Of each camera's queries among each camera's photos of the gallery. */
  readonly cameras: readonly CameraScores<Camera>[];
  /** Whether rankings were re-ranked. */
  readonly reranked: boolean;
  /** What was decided about cameras and neighbours, and why, a sentence each. */
  readonly said: readonly string[];
}

/** How the queries of one camera fared among the gallery's photos of one camera. */
export interface CameraScores<Camera = string | number> {
  readonly query: Camera;
  readonly gallery: Camera;
  /** Per cent. */
  readonly rank1: number;
  readonly map: number;
  /** That count. */
  readonly queries: number;
}

export interface RankingsData {
  /** `each` of every query, one query after the other: places in the gallery, the most alike first. */
  readonly places: Uint32Array;
  readonly similarities: Float32Array;
  readonly each: number;
  readonly reranked: boolean;
  readonly said: readonly string[];
}

export interface PeopleGlue {
  default(input: { module_or_path: WebAssembly.Module }): Promise<{ readonly memory: WebAssembly.Memory }>;
  readonly Photos: new (
    rows: Float32Array,
    dim: number,
    cameras: Int32Array,
    queries: Uint32Array,
    gallery: Uint32Array,
  ) => {
    evaluate(persons: Int32Array, single: boolean, adaptation: Adaptation, onProgress: OnFraction): Evaluation<number>;
    rankAll(top: number, adaptation: Adaptation, onProgress: OnFraction): RankingsData;
    free(): void;
  };
}
