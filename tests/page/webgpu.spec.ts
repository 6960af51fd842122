import { expect, test } from "./support/app.ts";
import { person } from "./support/png.ts";

const clothes = [
  { top: [190, 40, 40], legs: [30, 30, 60] },
  { top: [40, 60, 180], legs: [200, 190, 170] },
] as const;
const photos = clothes.flatMap((worn, i) => [person(`${i}-a.png`, worn, i), person(`${i}-b.png`, worn, 20 + i)]);

test("an emulated adapter is not used unasked, and the page says so", async ({ app }) => {
  await app.open();
  await expect(app.deviceReason).toHaveText(/^CPU: WebGPU is only emulated in software here \(.*swiftshader.*\)/i);
});

test("WebGPU, asked for, gives the CPU's ranking and scores", async ({ app, page }) => {
  await app.start("?device=gpu");
  await app.compare(photos);
  await expect(app.deviceReason).toHaveText(
    /^GPU: you chose it\. WebGPU runs on .*swiftshader.* emulated in software/i,
  );
  await app.choose("0-a.png");
  await expect(app.matches).toHaveCount(3);
  const [ranking, scores] = [await app.ranking(), await app.scores()];
  expect(ranking[0]).toBe("0-b.png");
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.deviceReason).toHaveText("CPU: you chose it.");
  await expect(app.status).toHaveText("Done: 4 photos compared.");
  await expect(app.matches).toHaveCount(3);
  expect(await app.ranking()).toEqual(ranking);
  expect(await app.scores()).toEqual(scores);
});
