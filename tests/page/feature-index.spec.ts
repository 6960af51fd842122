// The npm package's index of features that are there already.
import type * as Webreid from "../../npm/dist/index.js";
import type { ReidError } from "../../npm/dist/index.js";
import { expect, test } from "./support/package.ts";

const DIM = 64;

/** The same numbers each time, evenly between −1 and 1: few that count, as those of networks are. */
function vectors(count: number): number[][] {
  let state = 5;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: DIM }, (_, k) => Math.fround(next() * Math.exp(-k / 8))),
  );
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

test("an index finds the most alike, in each precision", async ({ page }) => {
  // Enough that features are looked at in short form first.
  const [features, queries] = [vectors(6000).slice(0, 5990), vectors(6000).slice(5990)];
  const expected = queries.map((query) => {
    const alike = features.map((feature) => cosine(feature, query));
    const order = [...alike.keys()].sort((a, b) => (alike[b] ?? 0) - (alike[a] ?? 0)).slice(0, 5);
    // A gap is a place too.
    return order.map((index) => ({ index: index + 1, similarity: alike[index] ?? 0 }));
  });
  for (const [precision, error] of [
    ["f32", 1e-6],
    ["f16", 1e-3],
    ["int8", 1e-2],
  ] as const) {
    const found = await page.evaluate(
      async ([features, queries, precision]) => {
        const index = await webreid.FeatureIndex.create([null, ...features.slice(0, 4000)], { precision });
        const few = await index.search([queries[0] ?? []], { top: 1 });
        await index.add(features.slice(4000));
        const matches = await index.search([...queries, null], { top: 5 });
        const result = { few, matches, size: index.size, memory: await index.memory() };
        await index.close();
        const closed = await index.search(queries).catch((error: ReidError) => error.code);
        return { ...result, closed };
      },
      [features, queries, precision] as const,
    );
    expect(found.size).toBe(5991);
    expect(found.closed).toBe("disposed");
    expect(found.memory).toBeGreaterThan(5990 * DIM);
    expect(found.few[0]).toHaveLength(1);
    expect(found.matches.pop()).toEqual([]);
    for (const [i, matches] of found.matches.entries()) {
      const wanted = expected[i] ?? [];
      if (precision === "f32") expect(matches.map(({ index }) => index)).toEqual(wanted.map(({ index }) => index));
      for (const [rank, { similarity }] of matches.entries()) {
        expect(Math.abs(similarity - (wanted[rank]?.similarity ?? 2))).toBeLessThan(error);
      }
    }
  }
});

test("what cannot be indexed is refused, and what was there stays", async ({ page }) => {
  const codes = await page.evaluate(async () => {
    const { FeatureIndex } = webreid;
    const code = (call: Promise<unknown>) =>
      call.then(
        () => "",
        (error: ReidError) => `${error.code} ${error.image?.name}`,
      );
    const of = (fingerprint: string, ...values: number[]): Webreid.FeatureData => ({ values, quality: 1, fingerprint });
    const index = await FeatureIndex.create([of("a", 1, 0), [0, 2], of("a", -3, 0)]);
    const refused = [
      await code(FeatureIndex.create([])),
      await code(FeatureIndex.create([null])),
      await code(FeatureIndex.create([[1, 0]], { precision: "f64" as never })),
      await code(FeatureIndex.create([[1, 0]], { signal: AbortSignal.abort() })),
      await code(index.add([[1, 1], of("b", 1, 1)])),
      await code(index.add([[1, 1, 1]])),
      await code(index.search([[Number.NaN, 0]])),
      await code(index.search([of("b", 1, 0)])),
      await code(index.search([[1, 0]], { top: 0 })),
    ];
    const matches = await index.search([
      [1, 0],
      [0, 0],
    ]);
    await index.close();
    return { refused, matches };
  });
  expect(codes.refused).toEqual([
    "bad-input undefined",
    "bad-input undefined",
    "bad-input undefined",
    "aborted undefined",
    "other-model Feature 2",
    "bad-input Feature 1",
    "bad-input Query 1",
    "other-model Query 1",
    "bad-input undefined",
  ]);
  const [found, nothing] = codes.matches;
  expect(found).toEqual([
    { index: 0, similarity: 1 },
    { index: 1, similarity: 0 },
    { index: 2, similarity: -1 },
  ]);
  expect(nothing?.map(({ similarity }) => similarity)).toEqual([0, 0, 0]);
});
