// The page's own arithmetic, without a browser.
import { expect, test } from "@playwright/test";
import { keepSomeAside, type Scores, verdict } from "../../www/src/evaluation.ts";
import { People } from "../../www/src/people.ts";
import type { Photo } from "../../www/src/photos.ts";
import { Training } from "../../www/src/training.ts";

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
    [scores(2, 0.5), scores(2, 0.6), "better", "It helped on the photos kept aside."],
    [scores(2, 0.5), scores(3, 0.4), "worse", "It did not help on the photos kept aside."],
    [scores(2, 0.5), scores(3, 0.501), "better", "It helped on the photos kept aside."],
    [scores(4, 1), scores(4, 1), "same", "It made no difference on the photos kept aside."],
  ] as const;
  for (const [before, after, expected, sentence] of cases) {
    expect(verdict(before, after)).toBe(expected);
    const training = new Training("quick");
    training.outcome = { before, after };
    expect(training.verdict).toBe(sentence);
  }
  expect(new Training("quick").verdict).toMatch(/^Whether it helped was not measured/);
});

test("what is said of two photos holds for all of the same people", () => {
  const photo = (id: number) => ({ id }) as Photo;
  const [a, b, c, d, e] = [photo(1), photo(2), photo(3), photo(4), photo(5)];
  const people = new People();
  people.join(a, b);
  people.join(c, d);
  people.separate(b, c);
  expect(people.areDifferent(a, d)).toBe(true);
  expect(people.areDifferent(d, a)).toBe(true);
  expect(people.areDifferent(a, b)).toBe(false);
  expect(people.areDifferent(a, e)).toBe(false);
  people.forgetDifferences(a);
  expect(people.areDifferent(a, d)).toBe(false);

  // Two people turn out to be one: the first keeps the name, and the second is gone.
  const first = people.of(a);
  expect(people.join(a, c)).toBe(first);
  expect(people.all).toEqual([first]);
  expect([...(first?.photos ?? [])]).toEqual(expect.arrayContaining([a, b, c, d]));
  people.leave(a);
  expect(first?.photos.size).toBe(3);
});
