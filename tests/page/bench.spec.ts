import { existsSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { benchReport, cells, detectionReport, gpuReport, searchReport } from "./support/bench.ts";
import { pageFolder } from "./support/files.ts";

test.describe.configure({ timeout: 300_000 });

test("the benchmark measures both, whose features agree", async ({ app, page }) => {
  await page.unroute(BUILT_IN_MODEL);
  await app.open("bench/?networks=default&batch=1&on=cpu1&start");
  await expect(app.status).toHaveText("Done: 1 combination measured.", { timeout: 240_000 });
  const report = await benchReport(page);
  expect(report?.state).toBe("done");
  expect(report?.onnxruntimeWeb).toMatch(/^\d+\.\d+\.\d+$/);
  expect(report?.rows).toHaveLength(1);
  const { comparison, ...row } = report?.rows[0] ?? {};
  expect(row).toEqual({ network: "default", on: "cpu1", batch: 1, outcome: "measured" });
  if (!comparison) throw new Error("The row has no comparison.");
  expect(comparison.largestDifference).toBeLessThan(1e-3);
  for (const { imagesPerSecond, ms, calls, firstMs, device } of [comparison.webreid, comparison.onnxruntime]) {
    for (const number of [imagesPerSecond, ms, calls, firstMs]) expect(number).toBeGreaterThan(0);
    expect(device).toBe("CPU");
  }
  for (const { files } of report?.downloads ?? []) {
    for (const { raw, sent, gzipped } of files) expect(Math.min(raw, sent, gzipped)).toBeGreaterThan(0);
  }
  expect(report?.downloads.map(({ files }) => files.length)).toEqual([3, 2]);

  const table = page.getByRole("table", { name: /^Each line/ });
  const [shown = []] = await cells(table);
  expect(shown.slice(0, 3)).toEqual(["The built-in model", "CPU, 1 worker or thread", "1"]);
  const close = (text: string | undefined, value: number) =>
    expect(Math.abs(Number.parseFloat(text ?? "") / value - 1)).toBeLessThan(0.01);
  close(shown[3], comparison.webreid.imagesPerSecond);
  close(shown[4], comparison.onnxruntime.imagesPerSecond);
  expect(shown[5]).toBe(comparison.ratio.toFixed(2));
  expect(comparison.ratio).toBeCloseTo(comparison.webreid.imagesPerSecond / comparison.onnxruntime.imagesPerSecond, 6);
  await expect(page.getByRole("button", { name: "Start" })).toBeFocused();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Save JSON").click()]);
  expect(download.suggestedFilename()).toBe("webreid-bench.json");
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("the benchmark says what it cannot measure here, and can be cancelled", async ({ app, page }) => {
  await app.open();
  // In a tab of its own: what was done on the page stays.
  const [bench] = await Promise.all([
    page.waitForEvent("popup"),
    page.getByRole("link", { name: "Speed test" }).click(),
  ]);
  await expect(bench).toHaveURL(/\/bench\/$/);
  await bench.close();
  await app.open("bench/");
  const start = page.getByRole("button", { name: "Start" });
  await expect(page.getByRole("checkbox", { name: /^WebGPU Not here: this browser has/ })).toBeDisabled();
  for (const name of ["ResNet-50", "ViT-S/16"]) await expect(page.getByRole("checkbox", { name })).not.toBeChecked();
  for (const name of ["OSNet x0.25", "The built-in model"]) await page.getByRole("checkbox", { name }).uncheck();
  await expect(start).toBeDisabled();
  await expect(page.getByText("Choose at least one network")).toBeVisible();
  await page.getByRole("checkbox", { name: "ResNet-50" }).check();
  await start.click();
  await expect(app.cancel).toBeFocused();
  await expect(page.getByText("Measuring ResNet-50, batch 1, on CPU, 1 worker or thread …").first()).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await app.cancel.click();
  await expect(app.status).toHaveText("Cancelled: 0 combinations measured.");
  await expect(start).toBeFocused();
  expect((await benchReport(page))?.state).toBe("cancelled");
});

test("the benchmark searches with all, who find the same", async ({ app, page }) => {
  await app.open("bench/?search=f32,f16,int8,edgevec,hnswlib,hnswlib-exact&features=1000&start");
  await expect(app.status).toHaveText("Done: 6 searchers measured.", { timeout: 120_000 });
  const report = await searchReport(page);
  expect(report).toMatchObject({ state: "done", features: 1000, dim: 512, queries: 100, top: 10 });
  const of = Object.fromEntries((report?.rows ?? []).map(({ key, searched }) => [key, searched]));
  const recall = (key: string) => of[key]?.recall ?? Number.NaN;
  expect([recall("f32"), recall("hnswlib-exact"), recall("hnswlib")]).toEqual([1, 1, 1]);
  expect(recall("f16")).toBeGreaterThan(0.995);
  expect(recall("int8")).toBeGreaterThan(0.97);
  expect(recall("edgevec")).toBeGreaterThan(0.95);
  for (const [key, searched] of Object.entries(of)) {
    expect(searched?.held, key).toBe(1000);
    // Features of 512 values, in 4, 2 and 1 bytes.
    expect(searched?.bytes, key).toBeGreaterThan(512_000 * ({ f16: 2, int8: 1 }[key] ?? 4));
    for (const number of [searched?.ms, searched?.buildMs]) expect(number, key).toBeGreaterThan(0);
  }
  const [shown = []] = await cells(page.getByRole("table", { name: /^Each line: one way to search/ }));
  expect(shown.slice(0, 2)).toEqual(["webreid, f32", "all"]);
  expect(shown[6]).toBe("1.000");
  await expect(page.getByRole("button", { name: "Search", exact: true })).toBeFocused();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("a search can be cancelled, and there is something to search with", async ({ app, page }) => {
  await app.open("bench/?search=hnswlib&features=100000");
  const search = page.getByRole("button", { name: "Search", exact: true });
  await page.getByRole("checkbox", { name: "hnswlib-wasm, HNSW" }).uncheck();
  await expect(search).toBeDisabled();
  await expect(page.getByText("Choose at least one to search with.")).toBeVisible();
  await page.getByRole("checkbox", { name: "webreid, f16" }).check();
  await search.click();
  await expect(page.getByRole("button", { name: "Start" })).toBeDisabled();
  await expect(app.cancel).toBeFocused();
  await app.cancel.click();
  await expect(app.status).toHaveText("Cancelled: 0 searchers measured.");
  await expect(search).toBeFocused();
  await expect(page.getByRole("button", { name: "Start" })).toBeEnabled();
});

test("the benchmark looks for people with both", async ({ app, page }) => {
  test.skip(!existsSync(join(pageFolder, "bench/nanodet.json")), "the page was built without a detector");
  await app.open("bench/?detect=cpu1&start");
  await expect(app.status).toHaveText("Done: 1 setting measured.", { timeout: 240_000 });
  const report = await detectionReport(page);
  expect(report).toMatchObject({ state: "done", photo: { width: 1280, height: 960 } });
  const { webreid, tfjs, ratio } = report?.rows[0] ?? {};
  for (const measured of [webreid, tfjs]) {
    for (const number of [measured?.photosPerSecond, measured?.ms, measured?.firstMs])
      expect(number).toBeGreaterThan(0);
  }
  expect(ratio).toBeCloseTo((webreid?.photosPerSecond ?? 0) / (tfjs?.photosPerSecond ?? 0), 6);
  const [shown = []] = await cells(page.getByRole("table", { name: /what it runs on/ }));
  expect(shown.slice(0, 2)).toEqual(["CPU, 1 worker or thread", webreid?.photosPerSecond.toFixed(2)]);
  await expect(page.getByRole("button", { name: "Look", exact: true })).toBeFocused();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("without WebGPU the benchmark says that there is no GPU to check", async ({ app, page }) => {
  await app.open("bench/?gpu&start");
  const said = /^There is no GPU to check here: this browser has .*WebGPU/;
  await expect(app.status).toHaveText(said);
  const section = page.getByRole("region", { name: "Your GPU, checked" });
  await expect(section.getByText(said)).toBeVisible();
  await expect(section.getByRole("button")).toHaveCount(0);
  await expect(section.getByRole("checkbox")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Start" })).toBeEnabled();
  expect(await gpuReport(page)).toBeUndefined();
});
