// What fine-tuning is for: after learning from twenty people, a model finds twenty others better. On the CPU, and on
// WebGPU in the browser that has it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Feature } from "../../npm/dist/index.js";
import { reidCommand, sharedFiles } from "./support/files.ts";
import { expect, test } from "./support/package.ts";
import { tensor } from "./support/safetensors.ts";

const SEED = 1;
const PEOPLE = 20;
/** Of the largest value: two machines' rounding. */
const TOLERANCE = 1e-4;

interface Photo {
  readonly name: string;
  readonly person: string;
  readonly camera: string;
}

/** Two groups of people that share nobody, the same for the same seed. */
function split(names: readonly string[]): [Photo[], Photo[]] {
  const photos = names.map((name) => ({ name, person: name.slice(0, 4), camera: name.slice(5, 7) }));
  const people = [...new Set(photos.map(({ person }) => person))].sort();
  let state = SEED;
  for (let i = people.length - 1; i > 0; i--) {
    // The generator of Numerical Recipes, whose upper bits are good enough to shuffle with.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [people[i], people[j]] = [people[j] as string, people[i] as string];
  }
  const of = (group: readonly string[]) => photos.filter(({ person }) => group.includes(person));
  return [of(people.slice(0, PEOPLE)), of(people.slice(PEOPLE, 2 * PEOPLE))];
}

test("learning from twenty people helps to find twenty others", async ({ page }, testInfo) => {
  const paths = sharedFiles("weights/osnet_x0_25_market1501.pth", "data/pku-reid");
  test.skip(paths === undefined, "needs ../shared");
  const [weights, folder] = paths as [string, string];
  const device = testInfo.project.name === "webgpu" ? "gpu" : "cpu";
  test.setTimeout(device === "gpu" ? 2_400_000 : 600_000);
  // An emulated GPU looks at one photo a second: there, two of the eight views are enough.
  const views = device === "gpu" ? /_o[15]\.png$/ : /\.png$/;
  const [learnt, others] = split(readdirSync(folder).filter((name) => views.test(name)));

  const base64 = (path: string) => readFileSync(path).toString("base64");
  const withBytes = (photos: readonly Photo[]) =>
    photos.map((photo) => ({ ...photo, bytes: base64(join(folder, photo.name)) }));
  const found = await page.evaluate(
    async ({ weights, learnt, others, device }) => {
      const blob = (text: string) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
      const reid = await webreid.ReIdentifier.create({ weights: blob(weights), device });
      const images = others.map(({ bytes }) => blob(bytes));

      /** Camera 1 against camera 2: the share of photos whose most similar one shows the same person. */
      const rank1 = (features: readonly Feature[]) => {
        const of = (camera: string) => others.flatMap((photo, i) => (photo.camera === camera ? [i] : []));
        const hits = of("c1").filter((query) => {
          const score = (i: number) => reid.similarity(features[query] as Feature, features[i] as Feature);
          const best = of("c2").reduce((best, i) => (score(i) > score(best) ? i : best));
          return others[best]?.person === others[query]?.person;
        });
        return (100 * hits.length) / of("c1").length;
      };

      const before = await reid.extract(images);
      const samples = learnt.map(({ bytes, person, camera }) => ({ image: blob(bytes), person, camera }));
      const losses: number[] = [];
      for await (const { loss } of reid.fineTune(samples, { depth: "quick", steps: 200, seed: 1 })) losses.push(loss);
      const after = await reid.extract(images);
      const saved = await reid.exportWeights();
      await reid.dispose();

      const again = await webreid.ReIdentifier.create({ weights: saved, device });
      const reloaded = await again.extract(images.slice(0, 8));
      await again.dispose();
      const bytes = new Uint8Array(await saved.arrayBuffer());
      return {
        rank1: [rank1(before), rank1(after)] as const,
        losses,
        features: after.slice(0, 8).map((row) => Array.from(row)),
        reloaded: reloaded.map((row) => Array.from(row)),
        saved: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")),
      };
    },
    { weights: base64(weights), learnt: withBytes(learnt), others: withBytes(others), device } as const,
  );

  const [before, after] = found.rank1;
  process.stderr.write(
    `rank-1 on ${device}, ${PEOPLE} people not learnt from: ${before.toFixed(1)} % to ${after.toFixed(1)} % ` +
      `after learning from ${learnt.length} photos of ${PEOPLE} others\n`,
  );
  expect(after).toBeGreaterThan(before);
  expect(found.losses.length).toBe(200);
  expect(found.reloaded).toEqual(found.features);

  // The same from the saved file by the native command.
  expect(existsSync(reidCommand), `${reidCommand} is built by cargo build`).toBe(true);
  const file = testInfo.outputPath("tuned.safetensors");
  writeFileSync(file, Buffer.from(found.saved, "base64"));
  const out = testInfo.outputPath("features.safetensors");
  const photos = others.slice(0, 8).map(({ name }) => join(folder, name));
  execFileSync(reidCommand, ["extract", "--weights", file, "--device", "cpu", "--out", out, ...photos]);
  const native = tensor(out, "features");
  native.forEach((row, i) => {
    const length = Math.hypot(...row);
    const largest = Math.max(...row.map(Math.abs)) / length;
    row.forEach((value, j) => {
      expect(Math.abs(value / length - (found.features[i]?.[j] ?? Number.NaN)) / largest).toBeLessThan(TOLERANCE);
    });
  });
});
