// The dedicated worker that compares people by their features. It is busy while it ranks: whoever wants no more of it ends it.
import type { OnFraction } from "./connection.js";
import { ReidError } from "./errors.js";
import type { PeopleCalls, PeopleGlue, PhotosData } from "./people-protocol.js";
import type { Request } from "./protocol.js";
import { serve } from "./serve.js";

type Handlers = {
  readonly [K in keyof PeopleCalls]: (
    request: PeopleCalls[K]["request"],
    onProgress: OnFraction,
  ) => PeopleCalls[K]["reply"] | Promise<PeopleCalls[K]["reply"]>;
};

let glue: PeopleGlue | undefined;

const handlers: Handlers = {
  async open({ module }) {
    const generated = (await import("./wasm/webreid_people.js")) as unknown as PeopleGlue;
    await generated.default({ module_or_path: module });
    glue = generated;
  },
  evaluate: ({ photos, persons, single, adaptation }, onProgress) =>
    using(photos, (photos) => photos.evaluate(persons, single, adaptation, onProgress)),
  rankAll: ({ photos, top, adaptation }, onProgress) =>
    using(photos, (photos) => photos.rankAll(top, adaptation, onProgress)),
};

serve<Request<PeopleCalls>>(async (request, onProgress) => {
  const handler = handlers[request.call] as (request: object, onProgress: OnFraction) => unknown;
  return handler(request, onProgress);
});

function using<T>(
  { rows, dim, cameras, queries, gallery }: PhotosData,
  use: (photos: InstanceType<PeopleGlue["Photos"]>) => T,
): T {
  if (!glue) throw new ReidError("internal", "The worker was asked to work before it was open.");
  const photos = new glue.Photos(rows, dim, cameras, queries, gallery);
  const result = use(photos);
  photos.free();
  return result;
}
