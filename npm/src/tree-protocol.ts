// What is asked of a worker that groups photos, and its generated glue there, typed as the Rust side promises it
// (src/web/people/tree.rs). Photos are named by their places.
import type { OnFraction } from "./connection.js";
import type { CameraMeans, Judgement, Verdict } from "./gallery-protocol.js";

/** Photos, and what is known of them. */
export interface TreePhotos {
  /** `[photos, dim]` */
  readonly rows: Float32Array<ArrayBuffer>;
  readonly dim: number;
  /** The number of each photo's camera from 0, −1 where it is unknown. */
  readonly cameras: Int32Array<ArrayBuffer>;
  /** Sets of one person each, pairs of two people, and a photo of each person with a name: the glue's own business. */
  readonly links: unknown;
}

export interface TreeGroups {
  readonly groups: readonly (readonly number[])[];
  readonly unsure: readonly number[];
  readonly strictness: number;
}

export interface TreeQuestion {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly together: boolean;
  readonly tells: number;
}

/** Features `[n, dim]`, and the numbers of their cameras. */
export interface Compared {
  readonly rows: Float32Array;
  readonly cameras: Int32Array;
}

/** What is to be said of a photo and who is searched for. */
export interface Judged {
  readonly probability?: number | undefined;
  readonly verdict: Verdict;
}

export interface TreeCalls {
  /** Comes first. */
  open: { request: { module: WebAssembly.Module }; reply: undefined };
  /** Comes second. */
  growTree: { request: TreePhotos & { readonly how: CameraMeans }; reply: undefined };
  /** At the photos' own strictness where none is given. */
  cutTree: { request: { strictness: number | undefined }; reply: TreeGroups };
  questions: {
    /** `asked`: pairs that are not to be asked about, two places a pair. */
    request: { strictness: number | undefined; asked: Uint32Array; count: number };
    reply: TreeQuestion[];
  };
  /** Of each photo, whether it shows the person that the queries are photos of. */
  judge: { request: { queries: Compared; photos: Compared }; reply: Judged[] };
  /** Undefined where there are no groups to tell it from. */
  judgement: { request: Record<never, never>; reply: Judgement | undefined };
  /** The people that some photos fall into. */
  parts: { request: { photos: Uint32Array }; reply: readonly (readonly number[])[] };
}

export interface TreeGlue {
  readonly Tree: new (
    rows: Float32Array,
    dim: number,
    cameras: Int32Array,
    how: CameraMeans,
    links: unknown,
    onProgress: OnFraction,
  ) => WasmTree;
}

export interface WasmTree {
  groups(strictness?: number): TreeGroups;
  questions(strictness: number | undefined, asked: Uint32Array, count: number): TreeQuestion[];
  judge(queries: Float32Array, queryCameras: Int32Array, rows: Float32Array, cameras: Int32Array): Judged[];
  judgement(): Judgement | undefined;
  parts(photos: Uint32Array): readonly (readonly number[])[];
  free(): void;
}
