// edgevec or hnswlib-wasm, in a worker of its own. They are fetched here, when they are asked for, and never by the page.
import hnswlibScript from "hnswlib-wasm/lib/hnswlib.mjs?url";
import { answering } from "../worker-calls.ts";
import { DIM, type PeerName, QUERIES, TOP } from "./plan.ts";

export interface PeerSearchCalls {
  /** Builds an index of features `[count, DIM]`, of as many as there is time for; `effort` for those that settle it before. */
  build: {
    request: { peer: PeerName; rows: Float32Array; effort: number; seconds: number };
    reply: { held: number; ms: number };
  };
  /** Of each query, one after the other, the places of the `TOP` most alike. Of all their times the sum. */
  search: { request: { queries: Float32Array; effort: number }; reply: { found: number[][]; ms: number } };
  /** Of WebAssembly, in bytes. */
  memory: { request: object; reply: number };
}

/** An index, empty yet. Vectors are numbered as they come. */
interface Index {
  add(row: Float32Array, place: number): void;
  search(query: Float32Array, effort: number): number[];
  memory(): number;
}

let index: Index | undefined;

/** What both graphs are built with, hnswlib's own defaults. */
const NEIGHBOURS = 16;
const BUILD_EFFORT = 200;
/** Rows between two looks at the clock. */
const ROWS = 100;

const OPEN: Record<PeerName, (count: number, effort: number) => Promise<Index>> = {
  edgevec: openEdgevec,
  hnswlib: (count) => openHnswlib(count, true),
  "hnswlib-exact": (count) => openHnswlib(count, false),
};

answering<PeerSearchCalls>({
  async build({ peer, rows, effort, seconds }) {
    const count = rows.length / DIM;
    index = await OPEN[peer](count, effort);
    const start = performance.now();
    let held = 0;
    while (held < count && (held % ROWS > 0 || performance.now() - start < 1000 * seconds)) {
      index.add(rows.subarray(held * DIM, (held + 1) * DIM), held);
      held++;
    }
    return { held, ms: performance.now() - start };
  },
  search({ queries, effort }) {
    const { search } = opened();
    const found: number[][] = [];
    const start = performance.now();
    for (let i = 0; i < QUERIES; i++) found.push(search(queries.subarray(i * DIM, (i + 1) * DIM), effort));
    return { found, ms: performance.now() - start };
  },
  memory: () => opened().memory(),
});

function opened(): Index {
  if (!index) throw new Error("The worker was asked to search before it had an index.");
  return index;
}

async function openEdgevec(_count: number, effort: number): Promise<Index> {
  const { default: init, EdgeVec, EdgeVecConfig } = await import("edgevec/edgevec.js");
  const { memory } = await init();
  const config = new EdgeVecConfig(DIM);
  // Of features of length 1 the nearest are the most alike; its "cosine" and "dot" find the least alike (0.9.0).
  config.metric = "l2";
  config.m = NEIGHBOURS;
  config.ef_construction = BUILD_EFFORT;
  config.ef_search = effort;
  const vectors = new EdgeVec(config);
  const places = new Map<number, number>();
  return {
    add: (row, place) => places.set(vectors.insert(row), place),
    search: (query) => (vectors.search(query, TOP) as { id: number }[]).map(({ id }) => places.get(id) ?? Number.NaN),
    memory: () => memory.buffer.byteLength,
  };
}

/** Of hnswlib-wasm what is called here; its own types name a package that it does not bring along. */
interface Hnswlib {
  readonly HEAPU8: Uint8Array;
  readonly HierarchicalNSW: new (
    space: "ip",
    dim: number,
    file: string,
  ) => HnswlibIndex & {
    initIndex(count: number, neighbours: number, buildEffort: number, seed: number): void;
    addPoint(row: Float32Array, place: number, replace: boolean): void;
    setEfSearch(effort: number): void;
  };
  readonly BruteforceSearch: new (
    space: "ip",
    dim: number,
  ) => HnswlibIndex & {
    initIndex(count: number): void;
    addPoint(row: Float32Array, place: number): void;
  };
}

interface HnswlibIndex {
  searchKnn(query: Float32Array, top: number, filter: undefined): { readonly neighbors: number[] };
}

async function openHnswlib(count: number, graph: boolean): Promise<Index> {
  // Its module comes as a data address, which it would fetch first: the page's policy does not allow that, and a failed try is
  // reported. Without `fetch` it decodes the address itself.
  Object.defineProperty(self, "fetch", { value: undefined });
  const { default: load } = await import(/* @vite-ignore */ hnswlibScript);
  const library: Hnswlib = await load();
  const memory = () => library.HEAPU8.buffer.byteLength;
  const found = (index: HnswlibIndex, query: Float32Array) => index.searchKnn(query, TOP, undefined).neighbors;
  if (!graph) {
    const exact = new library.BruteforceSearch("ip", DIM);
    exact.initIndex(count);
    return { add: (row, place) => exact.addPoint(row, place), search: (query) => found(exact, query), memory };
  }
  const vectors = new library.HierarchicalNSW("ip", DIM, "");
  vectors.initIndex(count, NEIGHBOURS, BUILD_EFFORT, 100);
  return {
    add: (row, place) => vectors.addPoint(row, place, false),
    search(query, effort) {
      vectors.setEfSearch(effort);
      return found(vectors, query);
    },
    memory,
  };
}
