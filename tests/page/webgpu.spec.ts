import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { filePayload, sampleFolder } from "./support/files.ts";
import { likenesses } from "./support/sorting.ts";

const photos = ["p01_1", "p01_2", "p04_1", "p04_2", "p06_1", "p06_2"].map((name) =>
  filePayload(`${sampleFolder}/${name}.jpg`, "image/jpeg"),
);

function reason(app: App) {
  return app.sheet.locator("#device-reason");
}

test("an emulated adapter is not used unasked, and the page says so", async ({ app }) => {
  await app.start();
  await app.chip.click();
  await expect(reason(app)).toHaveText(/^CPU: WebGPU is only emulated in software here \(.*swiftshader.*\)/i);
});

test("WebGPU, asked for, gives the CPU's order and likenesses", async ({ app, page }) => {
  await page.unroute(BUILT_IN_MODEL);
  await app.start("?device=gpu");
  await expect(app.chip).toHaveText(/^Built-in model · GPU/);
  await app.read(photos);
  const onGpu = await likenesses(app, "p01_1");
  expect(onGpu.length).toBeGreaterThanOrEqual(4);
  await app.chip.click();
  await expect(page.getByLabel("Runs on")).toHaveValue("gpu");
  await expect(reason(app)).toHaveText(/^GPU: you chose it\. WebGPU runs on .*swiftshader.* emulated in software/i);
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(reason(app)).toHaveText("CPU: you chose it.");
  await page.keyboard.press("Escape");
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  expect(await likenesses(app, "p01_1")).toEqual(onGpu);
});
