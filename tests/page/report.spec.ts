// The report of `reid evaluate`: a file that is opened from the disk, asks for nothing, and can be read by everybody.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { reidCommand, tinyCheckpoint } from "./support/files.ts";
import { person } from "./support/png.ts";

const PEOPLE = 6;

test("a report can be read in light and dark and on a phone, and asks for nothing", async ({ page }, testInfo) => {
  expect(existsSync(reidCommand), `${reidCommand} is built by cargo build`).toBe(true);
  const data = testInfo.outputPath("photos");
  mkdirSync(data);
  for (let i = 0; i < 4 * PEOPLE; i++) {
    const who = i % PEOPLE;
    const camera = 1 + Math.floor(i / PEOPLE / 2);
    const clothes = { top: [who * 40, 90, 255 - who * 40], legs: [40, who * 30, 60] } as const;
    const { name, buffer } = person(`000${who + 1}_c${camera}_${i}<b>.png`, clothes, i);
    writeFileSync(join(data, name), buffer);
  }
  const report = testInfo.outputPath("report");
  const models = ["--weights", tinyCheckpoint, "--weights", tinyCheckpoint];
  execFileSync(reidCommand, ["evaluate", "--device", "cpu", ...models, "--data", data, "--report", report]);

  const asked: string[] = [];
  const problems: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => problems.push(message.text()));
  const address = pathToFileURL(join(report, "report.html")).href;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(address);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Two models");
    await expect(page.getByRole("img", { name: /^Rank 1, the same person, 000/ }).first()).toBeVisible();
    await expect(page.getByText("no difference can be seen").first()).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`))).toEqual([]);
  }
  const pictures = await page
    .locator("img")
    .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth));
  expect(pictures.length).toBeGreaterThan(4 * PEOPLE);
  expect(Math.min(...pictures)).toBeGreaterThan(0);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  expect(asked.filter((url) => url !== address && !url.startsWith("data:"))).toEqual([]);
  expect(problems).toEqual([]);
});
