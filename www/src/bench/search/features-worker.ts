// Makes features, and finds what is to be found among them, off the page's thread.

import { answering } from "../worker-calls.ts";
import { madeFeatures, mostAlike } from "./made-features.ts";
import { DIM, QUERIES, TOP } from "./plan.ts";

const SEED = 1;

export interface FeatureCalls {
  /** `[count + QUERIES, DIM]` */
  make: { request: { count: number }; reply: Float32Array<ArrayBuffer> };
  /** Of each query the `TOP` most alike of the first `among`. */
  truth: { request: { among: number }; reply: number[][] };
}

let rows = new Float32Array(0);

answering<FeatureCalls>({
  make({ count }) {
    rows = madeFeatures(count, QUERIES, DIM, SEED);
    return rows;
  },
  truth: ({ among }) => mostAlike(rows, { count: among, total: rows.length / DIM - QUERIES, dim: DIM, top: TOP }),
});
