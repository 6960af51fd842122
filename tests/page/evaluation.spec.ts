// The page's own arithmetic, without a browser.
import { expect, test } from "@playwright/test";
import { keepSomeAside, type Scores, verdict } from "../../www/src/evaluation.ts";
import { best, cutOffsFrom } from "../../www/src/state/cut-off.ts";
import { Gone, History } from "../../www/src/state/history.ts";
import { Lessons } from "../../www/src/state/lessons.ts";
import type { ModelSource } from "../../www/src/state/model.ts";
import { remarksOn } from "../../www/src/state/remarks.ts";
import { words } from "../../www/src/words.ts";

test("one photo of each person with three or more is kept aside, the last one, and two stay to learn from", () => {
  const split = keepSomeAside([
    { id: 1, photos: [10, 11] },
    { id: 2, photos: [20, 21, 22] },
    { id: 3, photos: [30, 31, 32, 33] },
    { id: 4, photos: [] },
  ]);
  expect(split.keptAside).toEqual([
    { photo: 22, person: 2 },
    { photo: 33, person: 3 },
  ]);
  expect(split.training.map(({ photo }) => photo)).toEqual([10, 11, 20, 21, 30, 31, 32]);
});

test("the verdict goes by precision, then by first matches, and says plainly when it did not help", () => {
  const scores = (firstRight: number, meanAveragePrecision: number): Scores => ({
    searches: 4,
    firstRight,
    meanAveragePrecision,
  });
  const cases = [
    [scores(2, 0.5), scores(2, 0.6), "better", "It helped on the pictures kept aside."],
    [scores(2, 0.5), scores(3, 0.4), "worse", "It did not help on the pictures kept aside."],
    [scores(2, 0.5), scores(3, 0.501), "better", "It helped on the pictures kept aside."],
    [scores(4, 1), scores(4, 1), "same", "It made no difference on the pictures kept aside."],
  ] as const;
  for (const [before, after, expected, sentence] of cases) {
    expect(verdict(before, after)).toBe(expected);
    expect(words.learning.verdicts[expected]).toBe(sentence);
  }
});

test("the cut-off is where the fewest mistakes of both kinds are made", () => {
  expect(best([0.7, 0.8, 0.9], [0.1, 0.2, 0.3])).toEqual({ at: 0.7, missed: 0, mistaken: 0 });
  // One pair of one person is less alike than half of those of two: to miss it costs less than to take these.
  expect(best([0.2, 0.7, 0.8, 0.9], [0.1, 0.15, 0.3, 0.4])).toEqual({ at: 0.7, missed: 0.25, mistaken: 0 });
  expect(best([0.5, 0.9], [0.1, 0.2, 0.3, 0.6])).toEqual({ at: 0.5, missed: 0, mistaken: 0.25 });
});

test("what makes a mistake likely is told from a picture's size, quality and place", () => {
  const photo = { id: 1, hasFeature: true, hasThumbnail: true, name: "a.jpg", hash: "0" };
  const source = { id: 1, file: new File([], "a.jpg"), path: "a.jpg", hashes: ["0"], state: "read" } as const;
  const on = (
    box: readonly [number, number, number, number] | undefined,
    size: readonly [number, number],
    quality = 0.8,
  ) => {
    const [x, y, width, height] = box ?? [0, 0, 0, 0];
    return remarksOn(
      { ...photo, quality, ...(box && { box: { x, y, width, height } }) },
      { ...source, width: size[0], height: size[1] },
    );
  };
  expect(on([100, 100, 60, 160], [640, 480])).toEqual([]);
  expect(on([100, 100, 20, 60], [640, 480], 0.5)).toEqual(["very small (20 × 60 pixels)"]);
  expect(on([0, 340, 60, 140], [640, 480])).toEqual(["cut off at the bottom and left edge of the photo"]);
  expect(on([579, 100, 60, 160], [640, 480])).toEqual(["cut off at the right edge of the photo"]);
  expect(on([100, 100, 60, 160], [640, 480], 0.55)).toEqual(["blurred or dark"]);
  expect(on([100, 100, 150, 160], [640, 480])).toEqual(["wide: perhaps not one whole person"]);
  // A picture that is somebody as a whole has no border to be cut off at.
  expect(on(undefined, [48, 128])).toEqual([]);
  expect(on(undefined, [400, 300])).toEqual(["wide: perhaps not one whole person"]);
  // Of a photo that is not at hand only the box tells.
  expect(remarksOn({ ...photo, quality: 0.8 }, undefined)).toEqual([]);
});

test("cut-offs of a file that are none are left out", () => {
  const good = { same: 0.6, different: 0.2, cameras: "none" };
  const given = { a: good, b: null, c: { ...good, same: "0.6" }, d: { ...good, cameras: "all" }, e: { same: 2 } };
  expect([...cutOffsFrom(given)]).toEqual([["a", good]]);
  for (const none of [undefined, null, [], 7]) expect(cutOffsFrom(none).size).toBe(0);
});

test("models that have learnt are held as far as there is room: the oldest goes first, never one in use", () => {
  const learnt = (times: number, bytes: number): ModelSource => ({
    name: `improved ${times}`,
    fileName: "m.safetensors",
    weights: new File([new Uint8Array(bytes)], "m.safetensors"),
    learnt: { base: "m", times },
  });
  const act = () => ({ name: "learning", undo: () => {}, redo: () => {} });
  const first: ModelSource = { name: "built in", fileName: "m.safetensors", weights: undefined };
  const [a, b, c, d] = [learnt(1, 40), learnt(2, 40), learnt(3, 40), learnt(4, 500)];
  const lessons = new Lessons(100);
  for (const [before, after] of [
    [first, a],
    [a, b],
  ] as const)
    lessons.add({ before, after, act: act() });
  expect(lessons.of(b)?.before).toBe(a);
  lessons.add({ before: b, after: c, act: act() });
  // 120 bytes: the first that learnt goes, both ways; what it learnt from costs nothing.
  const held = () => lessons.all.peek().map(({ before, after }) => [before?.name, after?.name]);
  expect(held()).toEqual([
    ["built in", undefined],
    [undefined, "improved 2"],
    ["improved 2", "improved 3"],
  ]);
  lessons.add({ before: c, after: d, act: act() });
  expect(held().at(-1)).toEqual([undefined, "improved 4"]);
  expect(held()[0]?.[0]).toBe("built in");
});

test("what could not be undone can be tried again; what is gone is passed over", async () => {
  const done: string[] = [];
  const act = (name: string, undo = () => {}) => ({
    name,
    undo: () => {
      undo();
      done.push(name);
    },
    redo: () => {},
  });
  const history = new History();
  let isOnline = false;
  history.did(act("first"));
  history.did(
    act("gone", () => {
      throw new Gone("There was no room.");
    }),
  );
  history.did(
    act("last", () => {
      if (!isOnline) throw new Error("The network cannot be reached.");
    }),
  );
  await expect(history.undo(undefined)).rejects.toThrow("network");
  isOnline = true;
  expect(await history.undo(undefined)).toMatchObject({ name: "last" });
  await expect(history.undo(undefined)).rejects.toThrow("no room");
  expect(await history.undo(undefined)).toMatchObject({ name: "first" });
  expect(done).toEqual(["last", "first"]);
  expect(await history.redo(undefined)).toMatchObject({ name: "first" });
});
