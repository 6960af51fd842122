// The npm package's evaluation and ranking of features that are there already.
import type * as Webreid from "../../npm/dist/index.js";
import type { ReidError } from "../../npm/dist/index.js";
import { expect, test } from "./support/package.ts";

interface Photo extends Webreid.PhotoLabel {
  readonly values: readonly number[];
}

/** The same numbers each time, evenly between −1 and 1. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const DIM = 16;

/** Photos of people by cameras, each of which adds its own to all features. */
function crowd(people: number, cameras: readonly (string | undefined)[], photos: number): Photo[] {
  const random = noise(7);
  const vector = (size: number) => Array.from({ length: DIM }, () => size * random());
  const bias = new Map(cameras.map((camera) => [camera, vector(0.9)]));
  return Array.from({ length: people }, (_, person) => {
    const own = vector(1);
    return cameras.flatMap((camera) =>
      Array.from({ length: photos }, () => {
        const off = vector(0.7);
        const values = own.map((value, i) => Math.fround(value + (off[i] ?? 0) + (bias.get(camera)?.[i] ?? 0)));
        return { person: `person ${person}`, camera, values };
      }),
    );
  }).flat();
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Places in the gallery, the most alike first. */
function ranking(photos: readonly Photo[], query: Photo, gallery: readonly number[]): number[] {
  const alike = gallery.map((image) => cosine(query.values, photos[image]?.values ?? []));
  return [...gallery.keys()].sort((a, b) => (alike[b] ?? 0) - (alike[a] ?? 0) || a - b);
}

/** What `evaluate` gives, written down plainly. */
function reference(photos: readonly Photo[], queries: readonly number[], gallery: readonly number[]) {
  const outcomes = queries.flatMap((query) => {
    const target = photos[query] as Photo;
    const others = ranking(photos, target, gallery).filter((place) => {
      const image = gallery[place] as number;
      const photo = photos[image] as Photo;
      const isSame = photo.camera === undefined ? image === query : photo.camera === target.camera;
      return photo.person !== target.person || !isSame;
    });
    const ranks = others.flatMap((place, i) => {
      const photo = photos[gallery[place] as number];
      return photo?.person === target.person ? [i + 1] : [];
    });
    const [first, last] = [ranks[0], ranks.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [{ first, precision: mean(ranks.map((rank, i) => (i + 1) / rank)), penalty: ranks.length / last }];
  });
  const within = (rank: number) => 100 * mean(outcomes.map(({ first }) => (first <= rank ? 1 : 0)));
  return {
    rank1: within(1),
    rank5: within(5),
    rank10: within(10),
    map: 100 * mean(outcomes.map(({ precision }) => precision)),
    minp: 100 * mean(outcomes.map(({ penalty }) => penalty)),
    queries: outcomes.length,
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Each camera's mean off its photos, with so many photos' worth of the mean of all mixed in as `src/ranking` has it. */
function centred(photos: readonly Photo[]): Photo[] {
  const prior = 50;
  const sum = (of: readonly Photo[]) =>
    Array.from({ length: DIM }, (_, i) => of.reduce((s, p) => s + (p.values[i] ?? 0), 0));
  const all = sum(photos).map((value) => value / (photos.length + prior));
  const means = new Map(
    [...new Set(photos.map(({ camera }) => camera))].map((camera) => {
      const own = photos.filter((photo) => photo.camera === camera);
      return [camera, sum(own).map((value, i) => (value + prior * (all[i] ?? 0)) / (own.length + prior))];
    }),
  );
  return photos.map((photo) => ({
    ...photo,
    values: photo.values.map((value, i) => value - (means.get(photo.camera)?.[i] ?? 0)),
  }));
}

const indices = (photos: readonly Photo[], camera?: string) =>
  [...photos.keys()].filter((i) => camera === undefined || photos[i]?.camera === camera);

function expectScores(found: Webreid.Evaluation | undefined, expected: ReturnType<typeof reference>): void {
  expect(found?.queries).toBe(expected.queries);
  for (const score of ["rank1", "rank5", "rank10", "map", "minp"] as const) {
    expect(found?.[score], score).toBeCloseTo(expected[score], 3);
  }
}

declare global {
  /** Evaluates photos with each of some options. */
  function evaluateWith(photos: Photo[], options: Webreid.EvaluateOptions[]): Promise<Webreid.Evaluation[]>;
  /** How a call fails: code, message, and the index of what is at fault. */
  function failing(call: () => Promise<unknown>): Promise<string>;
}

test.beforeEach(async ({ page }) => {
  await page.evaluate(() => {
    globalThis.evaluateWith = (photos, options) => {
      const features = photos.map(({ values }, i) => ({ values, quality: 1, fingerprint: i >= 0 ? "one" : "" }));
      return Promise.all(options.map((options) => webreid.evaluate(features, photos, options)));
    };
    globalThis.failing = (call) =>
      call().then(
        () => "nothing",
        (error: ReidError) => `${error.name} ${error.code} ${error.image?.index ?? "-"} ${error.message}`,
      );
  });
});

test("an evaluation gives the numbers of a plain one, by every protocol and by lists", async ({ page }) => {
  const photos = crowd(12, ["door", "hall 2", "hall 10"], 2);
  const [queries, gallery] = [
    [1, 7, 30, 40],
    [0, 1, 2, 3, 10, 31, 33, 35, 41, 50],
  ];
  const found = await page.evaluate(([photos, options]) => evaluateWith(photos, options), [
    photos,
    [{}, { protocol: "cross-camera" }, { protocol: "cuhk03" }, { queries, gallery }, { queries }],
  ] as [Photo[], Webreid.EvaluateOptions[]]);
  const all = indices(photos);
  const [door, hall] = [indices(photos, "door"), indices(photos, "hall 2")];
  expectScores(found[0], reference(photos, all, all));
  expectScores(found[1], reference(photos, door, hall));
  const whole = reference(photos, door, hall);
  expect(found[2]?.map).toBeCloseTo(whole.map, 3);
  expect(found[2]?.rank1).not.toBeCloseTo(whole.rank1, 3);
  expectScores(found[3], reference(photos, queries, gallery));
  expectScores(found[4], reference(photos, queries, all));

  const [first] = found;
  expect(first?.rank1).toBeGreaterThan(10);
  expect(first?.rank1).toBeLessThan(100);
  expect(first?.intervals.map.low).toBeLessThan(first?.map ?? 0);
  expect(first?.intervals.map.high).toBeGreaterThan(first?.map ?? 0);
  expect(first).toMatchObject({ reranked: false, said: [] });
  // Ordered pairs of the same person by two cameras, and of different people.
  expect(first?.verification).toMatchObject({ same: 12 * 6 * 4, different: 12 * 6 * 11 * 6 });
  expect(first?.verification?.cut).toBeGreaterThan(0);
  expect(first?.verification?.cut).toBeLessThan(1);
  const { eer = 0, tmr } = first?.verification ?? {};
  expect(tmr?.["1e-4"]).toBeLessThanOrEqual(tmr?.["1e-2"] ?? 0);
  expect(tmr?.["1e-2"]).toBeLessThan(100 - eer);
  // Of the person's photos only those by the other camera are there to find: its own camera has none that count.
  expect(first?.cameras.map(({ query, gallery }) => `${query} ${gallery}`)).toEqual(
    ["door", "hall 2", "hall 10"].flatMap((a, _, all) => all.filter((b) => b !== a).map((b) => `${a} ${b}`)),
  );
  const pair = first?.cameras.find(({ query, gallery }) => query === "door" && gallery === "hall 10");
  const alone = reference(photos, door, indices(photos, "hall 10"));
  expect(pair?.map).toBeCloseTo(alone.map, 3);
  expect(pair).toMatchObject({ queries: 24 });
});

test("what cameras add is taken off, and said by their names", async ({ page }) => {
  const photos = crowd(20, ["4", "7"], 3);
  const [plain, off] = await page.evaluate(([photos, options]) => evaluateWith(photos, options), [
    photos,
    [{}, { adapt: { cameras: "centre" } }],
  ] as [Photo[], Webreid.EvaluateOptions[]]);
  const all = indices(photos);
  expectScores(off, reference(centred(photos), all, all));
  expect(off?.map).toBeGreaterThan((plain?.map ?? 100) + 1);
  expect(off?.said).toEqual([
    "The mean of each camera was taken off, of the gallery's photos for camera 4 (60 photos), 7 (60 photos).",
  ]);
});

test("without cameras a photo leaves out itself, and gaps are no photos", async ({ page }) => {
  const photos = crowd(6, [undefined], 4);
  const found = await page.evaluate(async (photos) => {
    const features = photos.map(({ values }, i) => (i % 4 === 3 ? null : values));
    return webreid.evaluate(features, photos, { queries: [3, 4, 5], gallery: [...photos.keys()] });
  }, photos);
  const there = indices(photos).filter((i) => i % 4 !== 3);
  expectScores(found, reference(photos, [4, 5], there));
  expect(found.cameras).toEqual([]);
});

test("many queries are ranked as one is, and what is in both lists is one photo", async ({ page }) => {
  const photos = crowd(8, ["a", "b"], 2);
  const seen = await page.evaluate(async (photos) => {
    const features = photos.map(({ values }, i) => (i === 5 ? null : Float32Array.from(values)));
    const queries = [features[0], null, features[9]];
    const plain = await webreid.rankAll(queries, features, { top: 4 });
    const cameras = { queries: ["a", null, "a"], gallery: photos.map(({ camera }) => camera) };
    const off = await webreid.rankAll(queries, features, { adapt: { cameras: "centre" }, cameras });
    const again = await webreid.rankAll(queries, features, { top: 1, adapt: { rerank: true } });
    const none = await webreid.rankAll(queries, [null]);
    const one = webreid.rank(features[9] as Float32Array, features, { top: 4 });
    return { plain, off, again, none, one };
  }, photos);
  const [first, gap, last] = seen.plain.matches;
  expect(gap).toEqual([]);
  const there = indices(photos).filter((i) => i !== 5);
  const places = ranking(photos, photos[0] as Photo, there).slice(0, 4);
  expect(first?.map(({ index }) => index)).toEqual(places.map((place) => there[place]));
  expect(last?.map(({ index }) => index)).toEqual(seen.one.map(({ index }) => index));
  for (const [i, match] of seen.one.entries()) expect(last?.[i]?.similarity).toBeCloseTo(match.similarity, 5);
  expect(first?.[0]).toMatchObject({ index: 0 });
  expect(first?.[0]?.similarity).toBeCloseTo(1, 5);
  expect(seen.plain).toMatchObject({ reranked: false, said: [] });
  expect(seen.off.matches[0]).toHaveLength(10);
  // Of 16 by each camera one is a gap: the queries are two of these and not two more.
  expect(seen.off.said).toEqual([expect.stringMatching(/camera a \(15 photos\), b \(16 photos\)\./)]);
  expect(seen.again).toMatchObject({ reranked: true });
  expect(seen.again.matches[2]).toEqual([{ index: 9, similarity: expect.closeTo(1, 5) }]);
  expect(seen.none.matches).toEqual([[], [], []]);
});

test("what cannot be ranked is refused with what to do", async ({ page }) => {
  const errors = await page.evaluate(() => {
    const one = (values: number[]) => ({ values, quality: 1, fingerprint: "one" });
    const other = { values: [1, 0], quality: 1, fingerprint: "other" };
    const pair = [one([1, 0]), one([0, 1])];
    const labels = [{ person: "Ann" }, { person: "Ann" }];
    const evaluate = (features: unknown, labels: unknown, options?: unknown) =>
      failing(() => webreid.evaluate(...([features, labels, options] as Parameters<typeof webreid.evaluate>)));
    const rankAll = (queries: unknown, gallery: unknown, options?: unknown) =>
      failing(() => webreid.rankAll(...([queries, gallery, options] as Parameters<typeof webreid.rankAll>)));
    return Promise.all([
      evaluate([one([1, 0]), one([0, Number.NaN])], labels),
      evaluate([one([1, 0]), [0, 1e300]], labels),
      evaluate([one([1, 0]), other], labels),
      evaluate([[1, 0], one([1, 0]), other], [...labels, { person: 3 }]),
      evaluate([one([1, 0]), one([1, 0, 0])], labels),
      evaluate(pair, labels.slice(1)),
      evaluate(pair, [{ person: "Ann" }, { name: "Ben" }]),
      evaluate(pair, [{ person: "Ann" }, { person: "Ann", camera: {} }]),
      evaluate([], []),
      evaluate([null, null], labels),
      evaluate(pair, labels, { queries: [] }),
      evaluate(pair, labels, { queries: [0, 2] }),
      evaluate(pair, labels, { gallery: [0.5] }),
      evaluate(pair, labels, { protocol: "market1501" }),
      evaluate(pair, labels, { protocol: "cross-camera" }),
      evaluate(pair, labels, { rerank: true }),
      evaluate(pair, labels, { adapt: { cameras: "center" } }),
      evaluate(pair, labels, { adapt: { rerank: "always" } }),
      evaluate(pair, [{ person: "Ann" }, { person: "Ben" }]),
      evaluate(pair, [
        { person: "Ann", camera: 1 },
        { person: "Ann", camera: 1 },
      ]),
      rankAll([], pair),
      rankAll(pair, [one([1, 0]), other]),
      rankAll(pair, pair, { top: 0 }),
      rankAll(pair, pair, { cameras: { queries: [1], gallery: [1, 2] } }),
    ]);
  });
  const bad = (index: number | string, message: RegExp) =>
    expect.stringMatching(new RegExp(`^ReidError bad-input ${index} ${message.source}`));
  expect(errors).toEqual([
    bad(1, /Feature 2 is damaged: its value 2 is NaN/),
    bad(1, /Feature 2 is damaged/),
    expect.stringMatching(/^ReidError other-model 1 The features are of two models \(one and other\)/),
    expect.stringMatching(/^ReidError other-model 2 /),
    bad(1, /Features of 2 and 3 numbers cannot be compared/),
    bad("-", /There are 2 features and 1 labels/),
    bad(1, /Label 2 does not say which `person` it shows/),
    bad(1, /Label 2 has a `camera` that is neither a name nor a number/),
    bad("-", /There is no photo to search with/),
    bad("-", /There is no photo to search with/),
    bad("-", /There is no photo to search with/),
    bad("-", /`queries\[1\]` is 2, which is the index of none of the 2 photos/),
    bad("-", /`gallery\[0\]` is 0\.5, /),
    bad("-", /`options\.protocol` must be "leave-one-out", "cross-camera" or "cuhk03", not market1501/),
    bad("-", /`cross-camera` takes photos of two cameras, and no camera is known here/),
    bad("-", /`options` has no "rerank", but adapt, /),
    bad("-", /`adapt\.cameras` must be "none", "centre" or "standardise", not center/),
    bad("-", /`adapt\.rerank` must be true, false or "auto", not always/),
    bad("-", /Nobody of the queries is on another photo of the gallery/),
    bad("-", /Nobody of the queries is on another photo of the gallery/),
    bad("-", /There is no query to search with/),
    expect.stringMatching(/^ReidError other-model 1 /),
    bad("-", /`options\.top` must be a whole number of at least 1, not 0/),
    bad("-", /`cameras\.queries` must be one for each of 2 features: 1/),
  ]);
});

test.describe("with 5,000 photos", () => {
  test.beforeEach(async ({ page }) => {
    await page.evaluate(() => {
      const [people, photos, dim] = [500, 10, 256];
      let state = 1;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
      };
      const features = Array.from({ length: people }, () => {
        const own = Float32Array.from({ length: dim }, random);
        return Array.from({ length: photos }, () => own.map((value) => value + 2.4 * random()));
      }).flat();
      const labels = features.map((_, i) => ({ person: Math.floor(i / photos), camera: i % 2 }));
      Object.assign(globalThis, { many: { features, labels } });
    });
  });

  test("re-ranking works in the tab, and tells how far it is", async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { features, labels } = (
        globalThis as unknown as { many: { features: Float32Array[]; labels: Webreid.PhotoLabel[] } }
      ).many;
      const fractions: number[] = [];
      const start = performance.now();
      const { rank1, map, queries, reranked } = await webreid.evaluate(features, labels, {
        adapt: { rerank: true },
        onProgress: (progress) => progress.phase === "rank" && fractions.push(progress.fraction),
      });
      const seconds = (performance.now() - start) / 1000;
      const plain = await webreid.evaluate(features, labels);

      // The module by itself, for the memory that it takes.
      const module = new URL("/dist/wasm/webreid_people.js", location.href).href;
      const glue = await import(module);
      const { memory } = await glue.default({ module_or_path: module.replace(".js", "_bg.wasm") });
      const rows = new Float32Array(features.length * 256);
      for (const [i, feature] of features.entries()) rows.set(feature, 256 * i);
      const all = Uint32Array.from(features.keys());
      const photos = new glue.Photos(rows, 256, new Int32Array(features.length), all, all);
      const adaptation = { cameras: "none", expand: "none", rerank: "always", cameraNames: ["1"] };
      photos.rankAll(10, adaptation, () => {});
      return { rank1, map, queries, reranked, seconds, fractions, plain: plain.map, bytes: memory.buffer.byteLength };
    });
    process.stdout.write(
      `5,000 × 256, re-ranked and scored: ${seen.seconds.toFixed(1)} s, ${(seen.bytes / 1e6).toFixed(0)} MB in the worker\n`,
    );
    expect(seen).toMatchObject({ queries: 5000, reranked: true });
    expect(seen.map).toBeGreaterThan(seen.plain + 1);
    expect(seen.fractions[0]).toBe(0);
    expect(seen.fractions.at(-1)).toBe(1);
    expect(seen.fractions.length).toBeGreaterThan(10);
    expect([...seen.fractions].sort((a, b) => a - b)).toEqual(seen.fractions);
  });

  test("a cancel ends it at once with the signal's reason, and the next call works", async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { features, labels } = (
        globalThis as unknown as { many: { features: Float32Array[]; labels: Webreid.PhotoLabel[] } }
      ).many;
      const abort = new AbortController();
      let cancelled = 0;
      const call = webreid.evaluate(features, labels, {
        adapt: { rerank: true },
        signal: abort.signal,
        onProgress: (progress) => {
          if (cancelled > 0 || progress.phase !== "rank" || progress.fraction === 0) return;
          cancelled = performance.now();
          abort.abort("enough");
        },
      });
      // Another call is no part of it.
      const beside = webreid.rankAll(features.slice(0, 3), features.slice(0, 20), { top: 1 });
      const error = await call.then(
        () => undefined,
        (error: ReidError) => error,
      );
      const seconds = (performance.now() - cancelled) / 1000;
      const next = await webreid.rankAll(features.slice(0, 3), features.slice(0, 20), { top: 1 });
      const late = await failing(() => webreid.evaluate(features, labels, { signal: AbortSignal.abort() }));
      const found = [(await beside).matches, next.matches].map((matches) => matches.map(([match]) => match?.index));
      return { code: error?.code, cause: error?.cause, seconds, found, late };
    });
    expect(seen).toMatchObject({ code: "aborted", cause: "enough" });
    expect(seen.seconds).toBeLessThan(1);
    expect(seen.found).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(seen.late).toMatch(/^ReidError aborted/);
    await expect.poll(() => page.workers().length).toBe(0);
  });
});
