// The GPU is taken away while photos are read: the CPU goes on with them, and that is said. See support/lying-gpu.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./support/app.ts";
import { pageFolder } from "./support/files.ts";
import { disguise } from "./support/lying-gpu.ts";
import { person } from "./support/png.ts";

test.use({ errors: /WebGPU|GPUDevice|device/i });

/** As the page's own scripts have them, which share memory between workers. */
const HEADERS = { "content-type": "text/javascript", "cross-origin-embedder-policy": "require-corp" };

const painted = Array.from({ length: 12 }, (_, i) =>
  person(`photo-${i}.png`, { top: [20, 20, 230], legs: [20, 20, 230] }, 1 + i),
);

/** A GPU that is lost at work, and not found again, from when the page says so on the channel "gpu". */
function lostWhenTold(): void {
  const channel = new BroadcastChannel("gpu");
  let isGone = false;
  const told = new Promise<void>((resolve) => {
    channel.onmessage = ({ data }) => {
      isGone = data.isGone;
      resolve();
    };
  });
  channel.postMessage("is it gone?");
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = async function (options) {
    await told;
    return isGone ? null : requestAdapter.call(this, options);
  };
  const devices: GPUDevice[] = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    return device;
  };
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (buffers) {
    submit.call(this, buffers);
    if (isGone) for (const device of devices) device.destroy();
  };
}

/** Runs the code first in the worker that looks at photos. */
async function tell(page: Page, ...told: readonly (() => void)[]): Promise<void> {
  const assets = join(pageFolder, "assets");
  const script = readdirSync(assets).find((name) => /^worker-.*\.js$/.test(name)) ?? "";
  const code = told.map((part) => `(${part})();\n`).join("");
  const body = code + readFileSync(join(assets, script), "utf8");
  await page.route(`**/assets/${script}`, (route) => route.fulfill({ body, headers: HEADERS }));
}

test("all photos are read, by the CPU from then on, which the page says", async ({ app, page }) => {
  await tell(page, disguise, lostWhenTold);
  await page.addInitScript(() => {
    const channel = new BroadcastChannel("gpu");
    const answer = (isGone: boolean) => {
      channel.onmessage = () => channel.postMessage({ isGone });
      channel.postMessage({ isGone });
    };
    answer(false);
    Object.assign(window, { takeGpuAway: () => answer(true) });
  });
  await app.start();
  await expect(app.chip).toHaveText(/^Built-in model · GPU/);
  await app.read(painted.slice(0, 2));
  await page.evaluate(() => (window as unknown as { takeGpuAway(): void }).takeGpuAway());
  await app.read(painted.slice(2));
  await expect(app.status).toHaveText(/^Done: 10 photos read\. 10 pictures of people/);
  await expect(app.problems).toHaveCount(0);
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await expect(
    app.toasts.filter({ hasText: "The GPU does not work any more: the CPU goes on, more slowly." }).first(),
  ).toBeVisible();
  await app.chip.click();
  await expect(page.getByLabel("Runs on")).toHaveValue("auto");
  await expect(app.sheet.locator("#device-reason")).toHaveText(/^CPU: /);
});
