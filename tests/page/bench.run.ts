// Runs the benchmark's page, prints its tables, and writes what it measured to bench.json, for each browser under its name.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, type Page, test } from "@playwright/test";
import {
  benchReport,
  detectionReport,
  detectionText,
  gpuReport,
  gpuText,
  reportText,
  searchReport,
  searchText,
} from "./support/bench.ts";

const FILE = fileURLToPath(new URL("../../bench.json", import.meta.url));

const { BENCH_NETWORKS, BENCH_BATCH, BENCH_ON, BENCH_BUDGET, BENCH_SEARCH, BENCH_FEATURES, BENCH_BUILD, BENCH_DETECT } =
  process.env;
const asked = {
  networks: BENCH_NETWORKS || "osnet_x0_25,default,reid_resnet50,vit_small",
  batch: BENCH_BATCH || "1,8,32",
  budget: BENCH_BUDGET || "60",
};

test("benchmark", async ({ page }, { project }) => {
  const here = (BENCH_ON || "webgpu,cpu1,cpu2")
    .split(",")
    .filter((on) => (on === "webgpu") === (project.name === "webgpu"));
  test.skip(here.length === 0, "BENCH_ON has nothing for this browser");
  await page.goto(`./bench/?${new URLSearchParams({ ...asked, on: here.join(","), start: "" })}`);
  const report = await done(page, () => benchReport(page));
  process.stdout.write(`\n${reportText(report)}\n\n`);
  keep(project.name, report);
});

test("searching many features", async ({ page }, { project }) => {
  test.skip(project.name !== "cpu", "it is the CPU's");
  test.skip(BENCH_SEARCH === "", "BENCH_SEARCH has nothing");
  const search = BENCH_SEARCH ?? "f32,f16,int8,edgevec,hnswlib,hnswlib-exact";
  const asked = { search, features: BENCH_FEATURES || "100000", build: BENCH_BUILD || "900" };
  await page.goto(`./bench/?${new URLSearchParams({ ...asked, start: "" })}`);
  const report = await done(page, () => searchReport(page));
  process.stdout.write(`\n${searchText(report)}\n\n`);
  keep("search", report);
});

test("finding people on photos", async ({ page }, { project }) => {
  const here = (BENCH_DETECT ?? "webgpu,cpu1,cpu2")
    .split(",")
    .filter((on) => on && (on === "webgpu") === (project.name === "webgpu"));
  test.skip(here.length === 0, "BENCH_DETECT has nothing for this browser");
  await page.goto(`./bench/?${new URLSearchParams({ detect: here.join(","), start: "" })}`);
  const report = await done(page, () => detectionReport(page));
  process.stdout.write(`\n${detectionText(report)}\n\n`);
  keep(`detect-${project.name}`, report);
});

test("what the GPU computes right, and its best rates", async ({ page }, { project }) => {
  test.skip(project.name !== "webgpu" || !(BENCH_ON || "webgpu").includes("webgpu"), "it is WebGPU's");
  await page.goto("./bench/?gpu=osnet_x0_25,default&images=1,8&start");
  const report = await done(page, () => gpuReport(page));
  process.stdout.write(`\n${gpuText(report)}\n\n`);
  keep("gpu", report);
});

/** Waits for a measurement that the page has started, and prints what it says meanwhile. */
async function done<T extends { readonly state: string }>(page: Page, look: () => Promise<T | undefined>): Promise<T> {
  const status = page.getByRole("status");
  await expect(status, "the page started to measure").not.toBeEmpty();
  let said = "";
  for (;;) {
    const now = (await status.textContent()) ?? "";
    if (/^(The benchmark failed|The address asks|There is no GPU)/.test(now)) throw new Error(now);
    if (now !== said) process.stderr.write(`${now}\n`);
    said = now;
    const report = await look();
    if (report?.state === "done") return report;
    await page.waitForTimeout(500);
  }
}

/** Writes it to the file, beside what is there under other names. */
function keep(name: string, report: unknown): void {
  const before = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
  writeFileSync(FILE, `${JSON.stringify({ ...before, [name]: report }, undefined, 2)}\n`);
}
