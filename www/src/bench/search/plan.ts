// What is searched by whom.
import type { IndexPrecision } from "webreid";

export interface Searcher {
  /** In addresses and in the JSON. */
  readonly key: string;
  readonly name: string;
  readonly by:
    | { readonly webreid: IndexPrecision }
    /** `effort`: how many neighbours a graph keeps in sight, tried one after the other until none is missed. */
    | { readonly peer: PeerName; readonly effort: readonly number[] };
}

export type PeerName = "edgevec" | "hnswlib" | "hnswlib-exact";

export const SEARCHERS: readonly Searcher[] = [
  { key: "f32", name: "webreid, f32", by: { webreid: "f32" } },
  { key: "f16", name: "webreid, f16", by: { webreid: "f16" } },
  { key: "int8", name: "webreid, int8", by: { webreid: "int8" } },
  // It has no exact search but for bits, and its effort is settled before the graph is built.
  { key: "edgevec", name: "edgevec, HNSW", by: { peer: "edgevec", effort: [800] } },
  {
    key: "hnswlib",
    name: "hnswlib-wasm, HNSW",
    by: { peer: "hnswlib", effort: [50, 100, 200, 400, 800, 1600, 3200] },
  },
  { key: "hnswlib-exact", name: "hnswlib-wasm, exact", by: { peer: "hnswlib-exact", effort: [0] } },
];

export const SIZES: readonly number[] = [1000, 10_000, 100_000];

export const DIM = 512;
export const QUERIES = 100;
export const TOP = 10;

export interface SearchPlan {
  readonly searchers: readonly Searcher[];
  /** Features to search among. */
  readonly features: number;
  /** Seconds that building an index may take: what it holds by then is searched. */
  readonly build: number;
}

const DEFAULT_BUILD = 120;
const DEFAULT_FEATURES = 10_000;

export interface AskedSearch extends SearchPlan {
  readonly start: boolean;
  /** What the address asks for and there is not. */
  readonly unknown: readonly string[];
}

/** What the page's address asks for: `?search=f32,hnswlib&features=100000&build=600&start`. */
export function askedSearch(search: string): AskedSearch {
  const parameters = new URLSearchParams(search);
  const keys = parameters.get("search")?.split(",").filter(Boolean);
  const features = Number(parameters.get("features") ?? DEFAULT_FEATURES);
  const build = Number(parameters.get("build"));
  return {
    searchers: SEARCHERS.filter(({ key }) => keys?.includes(key) ?? true),
    features: SIZES.includes(features) ? features : DEFAULT_FEATURES,
    build: build > 0 ? build : DEFAULT_BUILD,
    start: keys !== undefined && parameters.has("start"),
    unknown: [
      ...(keys ?? []).filter((key) => !SEARCHERS.some((searcher) => searcher.key === key)),
      ...(SIZES.includes(features) ? [] : [String(parameters.get("features"))]),
    ],
  };
}
