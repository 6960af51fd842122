// In the worker: the tree that it grew.
import type { OnFraction } from "./connection.js";
import { ReidError } from "./errors.js";
import type { PeopleGlue } from "./people-protocol.js";
import type { TreeCalls } from "./tree-protocol.js";

type Calls = Omit<TreeCalls, "open">;

type Handlers = {
  readonly [K in keyof Calls]: (request: Calls[K]["request"], onProgress: OnFraction) => Calls[K]["reply"];
};

export function treeHandlers(glue: () => PeopleGlue): Handlers {
  let tree: InstanceType<PeopleGlue["Tree"]> | undefined;
  return {
    growTree({ rows, dim, cameras, how, links }, onProgress) {
      tree?.free();
      tree = undefined;
      tree = new (glue().Tree)(rows, dim, cameras, how, links, onProgress);
      return undefined;
    },
    cutTree: ({ strictness }) => grown().groups(strictness),
    questions: ({ strictness, asked, count }) => grown().questions(strictness, asked, count),
    judge: ({ queries, photos }) => grown().judge(queries.rows, queries.cameras, photos.rows, photos.cameras),
    judgement: () => grown().judgement(),
    parts: ({ photos }) => grown().parts(photos),
  };

  function grown(): InstanceType<PeopleGlue["Tree"]> {
    if (!tree) throw new ReidError("internal", "The worker was asked for groups before it had any.");
    return tree;
  }
}
