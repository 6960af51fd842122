// What the page hands over as JSON.

export interface Searched {
  /** Features that it holds: fewer than were to be where building took too long. */
  readonly held: number;
  readonly buildMs: number;
  /** WebAssembly memory. */
  readonly bytes: number;
  /** A query, where each is asked on its own. */
  readonly ms: number;
  /** A query, where all are asked at once; undefined where that cannot be. */
  readonly batchMs: number | undefined;
  /** Of the ten most alike of each query, the share that it found, 0…1. */
  readonly recall: number;
  /** Of a graph. */
  readonly effort: number | undefined;
}

export interface SearchRow {
  /** Of the searcher. */
  readonly key: string;
  readonly name: string;
  readonly outcome: "measured" | "failed";
  /** Why it was not measured. */
  readonly reason?: string;
  readonly searched?: Searched;
}

export interface SearchReport {
  state: "running" | "done" | "cancelled";
  readonly features: number;
  readonly dim: number;
  readonly queries: number;
  readonly top: number;
  readonly rows: SearchRow[];
}
