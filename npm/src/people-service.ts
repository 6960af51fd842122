// What compares people by their features, holds a gallery or an index of them, or groups their photos.
import type { OnFraction } from "./connection.js";
import { ReidError } from "./errors.js";
import { indexHandlers } from "./feature-index-handlers.js";
import type { FeatureIndexCalls } from "./feature-index-protocol.js";
import { galleryHandlers } from "./gallery-handlers.js";
import type { GalleryCalls } from "./gallery-protocol.js";
import type { PeopleCalls, PeopleGlue, PhotosData } from "./people-protocol.js";
import type { Request } from "./protocol.js";
import type { Service } from "./serve.js";
import { treeHandlers } from "./tree-handlers.js";
import type { TreeCalls } from "./tree-protocol.js";
import * as generated from "./wasm/webreid_people.js";

type Handlers = {
  readonly [K in keyof Calls]: (
    request: Calls[K]["request"],
    onProgress: OnFraction,
  ) => Calls[K]["reply"] | Promise<Calls[K]["reply"]>;
};

type Calls = PeopleCalls & GalleryCalls & TreeCalls & FeatureIndexCalls;

export function peopleService(): Service<Request<Calls>> {
  let glue: PeopleGlue | undefined;
  let memory: WebAssembly.Memory | undefined;
  /** What the call `open` loads. */
  const open = (): PeopleGlue => {
    if (!glue) throw new ReidError("internal", "The worker was asked to work before it was open.");
    return glue;
  };
  const gallery = galleryHandlers(open);
  const handlers: Handlers = {
    async open({ module }) {
      ({ memory } = await generated.default({ module_or_path: module }));
      glue = generated;
    },
    evaluate: ({ photos, persons, single, adaptation }, onProgress) =>
      using(open(), photos, (photos) => photos.evaluate(persons, single, adaptation, onProgress)),
    rankAll: ({ photos, top, adaptation }, onProgress) =>
      using(open(), photos, (photos) => photos.rankAll(top, adaptation, onProgress)),
    ...gallery.handlers,
    ...treeHandlers(open),
    ...indexHandlers(open, () => memory?.buffer.byteLength ?? 0),
  };
  return {
    handle(request, onProgress) {
      const handler = handlers[request.call] as (request: object, onProgress: OnFraction) => unknown;
      return handler(request, onProgress);
    },
    rest: () => ({ status: gallery.status() }),
  };
}

function using<T>(
  glue: PeopleGlue,
  { rows, dim, cameras, queries, gallery }: PhotosData,
  use: (photos: InstanceType<PeopleGlue["Photos"]>) => T,
): T {
  const photos = new glue.Photos(rows, dim, cameras, queries, gallery);
  const result = use(photos);
  photos.free();
  return result;
}
