// Runs the benchmark's page, prints its tables, and writes what it measured to bench.json, for each browser under its name.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { benchReport, reportText } from "./support/bench.ts";
import { gemms } from "./support/gemm.ts";

const FILE = fileURLToPath(new URL("../../bench.json", import.meta.url));

/** Of ResNet-50 with a last stride of 1 at 256×128, for one image. */
const RESNET50_GFLOP = 8.1;

const { BENCH_NETWORKS, BENCH_BATCH, BENCH_ON, BENCH_BUDGET } = process.env;
const asked = {
  networks: BENCH_NETWORKS || "osnet_x0_25,default,reid_resnet50",
  batch: BENCH_BATCH || "1,8,32",
  budget: BENCH_BUDGET || "60",
};

test("benchmark", async ({ page }, { project }) => {
  const here = (BENCH_ON || "webgpu,cpu1,cpu2")
    .split(",")
    .filter((on) => (on === "webgpu") === (project.name === "webgpu"));
  test.skip(here.length === 0, "BENCH_ON has nothing for this browser");
  await page.goto(`./bench/?${new URLSearchParams({ ...asked, on: here.join(","), start: "" })}`);
  const status = page.getByRole("status");
  await expect(status, "the page started to measure").not.toBeEmpty();
  let said = "";
  let report = await benchReport(page);
  for (; report?.state !== "done"; report = await benchReport(page)) {
    const now = (await status.textContent()) ?? "";
    if (/^The (benchmark failed|address asks)/.test(now)) throw new Error(now);
    if (now !== said) process.stderr.write(`${now}\n`);
    said = now;
    await page.waitForTimeout(500);
  }
  process.stdout.write(`\n${reportText(report)}\n\n`);
  const before = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
  writeFileSync(FILE, `${JSON.stringify({ ...before, [project.name]: report }, undefined, 2)}\n`);
});

test("the best rate of matrix products", async ({ page }, { project }) => {
  test.skip(project.name !== "webgpu" || !(BENCH_ON || "webgpu").includes("webgpu"), "it is WebGPU's");
  await page.goto("./");
  const rated = await gemms(page);
  const lines = rated.map(({ tile, gflops }) => `${gflops.toFixed(2).padStart(8)} GFLOP/s  ${tile.join(" × ")}`);
  const best = rated[0]?.gflops ?? Number.NaN;
  process.stdout.write(
    `\nMatrix products in WGSL (rows × vec4s of a thread × threads along both):\n${lines.join("\n")}\n` +
      `Half of the best rate is ${(best / 2 / RESNET50_GFLOP).toFixed(3)} images/s of ResNet-50.\n\n`,
  );
});
