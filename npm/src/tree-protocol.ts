// What is asked of a worker that groups photos, named by their places, and what it tells, as the Rust side declares it
// (src/web/people/tree.rs).
import type { Frozen } from "./frozen.js";
import type { CameraMeans, Judgement } from "./gallery-protocol.js";
import type * as Glue from "./wasm/webreid_people.js";

export type Judged = Frozen<Glue.Judged>;
export type TreeGroups = Frozen<Glue.TreeGroups>;
export type TreeQuestion = Frozen<Glue.TreeQuestion>;

/** Photos, and what is known of them. */
export type TreePhotos = Pick<Readonly<Glue.GroupingInput>, "rows" | "dim" | "cameras" | "links">;

/** Features `[n, dim]`, and the numbers of their cameras. */
export interface Compared {
  readonly rows: Float32Array;
  readonly cameras: Int32Array;
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
