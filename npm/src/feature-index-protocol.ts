// What is asked of a worker that holds an index of features, and its generated glue there, typed as the Rust side promises it
// (src/web/people/feature_index.rs).

/** What each value of a kept feature is: 32 bits, 16, or 8 with a scale for each feature. */
export type IndexPrecision = "f32" | "f16" | "int8";

/** `each` of every query, one query after the other: places in the index, the most alike first. */
export interface FoundFeatures {
  readonly places: Uint32Array;
  readonly similarities: Float32Array;
  readonly each: number;
}

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

export interface FeatureIndexGlue {
  readonly FeatureIndex: new (dim: number, precision: IndexPrecision, capacity: number) => WasmFeatureIndex;
}

export interface WasmFeatureIndex {
  add(rows: Float32Array): void;
  prepare(): void;
  search(queries: Float32Array, top: number): FoundFeatures;
  free(): void;
}
