import { readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { cells, gpuReport } from "./support/bench.ts";
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

test("the benchmark checks a GPU: features, products and speed", async ({ app, page }) => {
  await page.unroute(BUILT_IN_MODEL);
  await app.open("bench/?gpu=default&images=1&start");
  await expect(app.status).toHaveText("Done: the GPU is checked.");
  const report = await gpuReport(page);
  if (!report) throw new Error("The page has no report.");
  const { state, adapter, features, peaks, speeds, conclusion } = report;
  expect(state).toBe("done");
  expect(adapter).toMatchObject({ software: true, f16: false });
  expect(adapter?.name).toMatch(/swiftshader/i);
  expect(adapter?.largestBuffer).toBeGreaterThanOrEqual(128 * 2 ** 20);

  expect(features).toHaveLength(1);
  const { compared, ...row } = features[0] ?? {};
  expect(row).toEqual({ network: "default", outcome: "measured" });
  expect(compared).toMatchObject({ precision: "f32", images: 5, allowed: 2e-5, right: true });
  expect(compared?.difference).toBeGreaterThan(0);
  expect(compared?.difference).toBeLessThan(2e-5);
  expect(compared?.cosine).toBeGreaterThan(0.999999);

  expect(peaks.map(({ right }) => right)).toEqual(Array(16).fill(true));
  expect(peaks.filter(({ what }) => what === "copy")).toHaveLength(1);
  for (const { how, rate } of peaks) expect(rate, how).toBeGreaterThan(0);

  const [{ speed, ...timed } = {}] = speeds;
  expect(timed).toEqual({ network: "default", batch: 1, outcome: "measured" });
  if (!speed) throw new Error("No speed was measured.");
  expect(speed.imagesPerSecond).toBeCloseTo(1000 / speed.ms, 6);
  // 58.9 million multiplications for an image.
  expect(speed.gflops / speed.imagesPerSecond).toBeCloseTo(2 * 0.0589, 3);
  const best = Math.max(...peaks.filter(({ what }) => what === "product").map(({ rate }) => rate ?? 0));
  expect(speed.share).toBeCloseTo((speed.gflops * 1e9) / best, 6);

  expect(conclusion[0]).toBe(
    "All is right: the features of 1 network are those of the CPU, and 16 products and copies came out exact.",
  );
  await expect(page.getByRole("listitem").filter({ hasText: conclusion[0] as string })).toBeVisible();
  const [shown = []] = await cells(page.getByRole("table", { name: /^Features on the GPU/ }));
  expect([...shown.slice(0, 3), shown.at(-1)]).toEqual(["The built-in model", "f32", "5", "right"]);
  const rates = await cells(page.getByRole("table", { name: /^What plain WGSL reaches/ }));
  expect(Number.parseFloat(rates[0]?.[3] ?? "") / (best / 1e9)).toBeCloseTo(1, 1);
  await expect(page.getByRole("button", { name: "Check the GPU" })).toBeFocused();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Save the check").click()]);
  expect(download.suggestedFilename()).toBe("webreid-gpu.json");
  expect(JSON.parse(readFileSync(await download.path(), "utf8"))).toEqual(report);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("a check of the GPU can be cancelled, and says what is computed wrong", async ({ app, page }) => {
  await page.addInitScript(() => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      // Whole numbers to multiply, all of them one too large.
      const code = descriptor.code.replace("% vec4<u32>(5u)) - 2.0", "% vec4<u32>(5u)) - 1.0");
      return createShaderModule.call(this, { ...descriptor, code });
    };
  });
  await app.open("bench/?gpu=default&images=1");
  const section = page.getByRole("region", { name: "Your GPU, checked" });
  const check = section.getByRole("button", { name: "Check the GPU" });
  await check.click();
  await expect(app.cancel).toBeFocused();
  await expect(check).toBeDisabled();
  await expect(page.getByRole("button", { name: "Start" })).toBeDisabled();
  await expect(app.status).toHaveText(/^Measuring a product/);
  await app.cancel.click();
  await expect(app.status).toHaveText("Cancelled.");
  await expect(check).toBeFocused();
  expect(await gpuReport(page)).toMatchObject({ state: "cancelled", features: [], conclusion: [] });

  // The products alone.
  await section.getByRole("checkbox", { name: "The built-in model" }).uncheck();
  await check.click();
  await expect(app.status).toHaveText("Done: the GPU computes something wrong.");
  const { peaks = [], conclusion = [] } = (await gpuReport(page)) ?? {};
  const right = (kind: string) => new Set(peaks.filter(({ what }) => what === kind).map(({ right }) => right));
  expect([right("product"), right("copy")]).toEqual([new Set([false]), new Set([true])]);
  expect(conclusion[0]).toMatch(
    /^Not all is right\. This GPU computes wrong: the product in f32, 1×1 by 8×8, of 512; /,
  );
  await expect(section.getByRole("cell", { name: "wrong", exact: true })).toHaveCount(15);
});
