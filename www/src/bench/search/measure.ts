import { FeatureIndex, type IndexPrecision } from "webreid";
import { messageOf } from "../../errors.ts";
import { Calls } from "../worker-calls.ts";
import type { FeatureCalls } from "./features-worker.ts";
import type { PeerSearchCalls } from "./peer-search-worker.ts";
import { DIM, type PeerName, QUERIES, type SearchPlan, TOP } from "./plan.ts";
import type { Searched, SearchReport } from "./report.ts";

/** Searches by one after another, each in a worker of its own that ends before the next begins. */
export async function searchAll(
  { searchers, features, build }: SearchPlan,
  report: SearchReport,
  signal: AbortSignal,
  onWork: (what: string, share: number) => void,
): Promise<void> {
  const made = new Calls<FeatureCalls>(
    new Worker(new URL("./features-worker.ts", import.meta.url), { type: "module", name: "features" }),
    signal,
  );
  try {
    onWork("Making features", 0);
    const rows = await made.call("make", { count: features });
    const truth = await made.call("truth", { among: features });
    const truthOf = (among: number) => (among === features ? truth : made.call("truth", { among }));
    for (const [i, { key, name, by }] of searchers.entries()) {
      onWork(`Searching with ${name}`, (i + 1) / (searchers.length + 1));
      try {
        const searched = await ("webreid" in by
          ? ours(by.webreid, rows, truth, signal)
          : theirs(by.peer, by.effort, rows, build, truthOf, signal));
        report.rows.push({ key, name, outcome: "measured", searched });
      } catch (error) {
        if (signal.aborted) break;
        report.rows.push({ key, name, outcome: "failed", reason: messageOf(error) });
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    made.end();
  }
  report.state = signal.aborted ? "cancelled" : "done";
}

/** webreid as any page uses it: what is timed are the calls, from the feature to the places. */
async function ours(
  precision: IndexPrecision,
  rows: Float32Array<ArrayBuffer>,
  truth: readonly number[][],
  signal: AbortSignal,
): Promise<Searched> {
  const all = Array.from({ length: rows.length / DIM }, (_, i) => rows.subarray(i * DIM, (i + 1) * DIM));
  const [features, queries] = [all.slice(0, -QUERIES), all.slice(-QUERIES)];
  let start = performance.now();
  const index = await FeatureIndex.create(features, { precision, signal });
  const buildMs = performance.now() - start;
  try {
    const options = { top: TOP, signal };
    const found = await index.search(queries, options);
    start = performance.now();
    await index.search(queries, options);
    const batchMs = (performance.now() - start) / QUERIES;
    start = performance.now();
    for (const query of queries) await index.search([query], options);
    const ms = (performance.now() - start) / QUERIES;
    const places = found.map((matches) => matches.map(({ index: place }) => place));
    const bytes = await index.memory();
    return { held: index.size, buildMs, bytes, ms, batchMs, recall: recallOf(places, truth), effort: undefined };
  } finally {
    await index.close();
  }
}

/** Another, whose clock runs inside its worker; to its advantage, no message is waited for. */
async function theirs(
  peer: PeerName,
  efforts: readonly number[],
  rows: Float32Array<ArrayBuffer>,
  seconds: number,
  truthOf: (among: number) => readonly number[][] | Promise<readonly number[][]>,
  signal: AbortSignal,
): Promise<Searched> {
  const calls = new Calls<PeerSearchCalls>(
    new Worker(new URL("./peer-search-worker.ts", import.meta.url), { type: "module", name: peer }),
    signal,
  );
  try {
    const queries = rows.slice(-QUERIES * DIM);
    const effort = efforts.at(-1) ?? 0;
    const request = { peer, rows: rows.subarray(0, -QUERIES * DIM), effort, seconds };
    const { held, ms: buildMs } = await calls.call("build", request);
    const truth = await truthOf(held);
    let searched: Searched | undefined;
    for (const effort of efforts) {
      await calls.call("search", { queries, effort });
      const { found, ms } = await calls.call("search", { queries, effort });
      const bytes = await calls.call("memory", {});
      const recall = recallOf(found, truth);
      searched = { held, buildMs, bytes, ms: ms / QUERIES, batchMs: undefined, recall, effort: effort || undefined };
      if (recall === 1) break;
    }
    if (!searched) throw new Error("There was nothing to try.");
    return searched;
  } finally {
    calls.end();
  }
}

function recallOf(found: readonly (readonly number[])[], truth: readonly (readonly number[])[]): number {
  const right = truth.map((places, query) => places.filter((place) => found[query]?.includes(place)).length);
  return right.reduce((a, b) => a + b, 0) / truth.flat().length;
}
