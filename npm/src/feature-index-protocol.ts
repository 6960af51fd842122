// What is asked of a worker that holds an index of features, and what it tells, as the Rust side declares it
// (src/web/people/feature_index.rs).
import type { FoundFeatures, IndexPrecision } from "./wasm/webreid_people.js";

export type { FoundFeatures, IndexPrecision };

export interface FeatureIndexCalls {
  /** Comes first. */
  open: { request: { module: WebAssembly.Module }; reply: undefined };
  /** Comes second. */
  createIndex: { request: { dim: number; precision: IndexPrecision; capacity: number }; reply: undefined };
  /** `[n, dim]` */
  addFeatures: { request: { rows: Float32Array<ArrayBuffer> }; reply: undefined };
  prepareIndex: { request: Record<never, never>; reply: undefined };
  searchIndex: { request: { queries: Float32Array<ArrayBuffer>; top: number }; reply: FoundFeatures };
  /** Bytes of WebAssembly memory. */
  indexMemory: { request: Record<never, never>; reply: number };
}
