// What is asked of a worker that compares people, and what it tells, as the Rust side declares it (src/web/people).
import type { Frozen } from "./frozen.js";
import type * as Glue from "./wasm/webreid_people.js";

export type PeopleGlue = typeof Glue;
export type Adaptation = Frozen<Glue.Adaptation>;
export type Interval = Frozen<Glue.Interval>;
export type Verification = Frozen<Glue.Verification>;
export type RankingsData = Frozen<Glue.RankingsData>;

/** How the queries of one camera fared among the gallery's photos of one camera; per cent. */
export type CameraScores<Camera = string | number> = Frozen<Omit<Glue.CameraPair, "query" | "gallery">> & {
  readonly query: Camera;
  readonly gallery: Camera;
};

/** How well features find people; per cent, but for similarities and counts: the numbers that `reid evaluate --json --details` prints. */
export type Evaluation<Camera = string | number> = Frozen<Omit<Glue.Evaluation, "cameras">> & {
  /** Of each camera's queries among each camera's photos of the gallery. */
  readonly cameras: readonly CameraScores<Camera>[];
};

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
