// In the worker: the index that it holds.
import { ReidError } from "./errors.js";
import type { FeatureIndexCalls } from "./feature-index-protocol.js";
import type { PeopleGlue } from "./people-protocol.js";

type Calls = Omit<FeatureIndexCalls, "open">;

type Handlers = {
  readonly [K in keyof Calls]: (request: Calls[K]["request"]) => Calls[K]["reply"];
};

export function indexHandlers(glue: () => PeopleGlue, memory: () => number): Handlers {
  let index: InstanceType<PeopleGlue["FeatureIndex"]> | undefined;
  return {
    createIndex({ dim, precision, capacity }) {
      index = new (glue().FeatureIndex)(dim, precision, capacity);
      return undefined;
    },
    addFeatures({ rows }) {
      held().add(rows);
      return undefined;
    },
    prepareIndex() {
      held().prepare();
      return undefined;
    },
    searchIndex: ({ queries, top }) => held().search(queries, top),
    indexMemory: memory,
  };

  function held(): InstanceType<PeopleGlue["FeatureIndex"]> {
    if (!index) throw new ReidError("internal", "The worker was asked for an index before it had one.");
    return index;
  }
}
