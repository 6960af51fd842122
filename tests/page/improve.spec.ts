import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type App, expect, test } from "./support/app.ts";
import { pageFolder } from "./support/files.ts";
import { confirm, likenesses, name, startWithSamples } from "./support/sorting.ts";

const VERDICT = /It (helped|made no difference|did not help) on the pictures kept aside\./;

/** The sample photos with all six people confirmed, and the sheet that teaches. */
async function startConfirmed(app: App, people = 6): Promise<void> {
  await startWithSamples(app);
  await confirm(app, people);
}

async function open(app: App): Promise<void> {
  await app.page.getByRole("button", { name: "Teach it", exact: true }).click();
  await expect(app.sheet.getByRole("heading", { name: "Teach the model" })).toBeVisible();
}

/** The sheet's own button: the bar has one of the same name. */
function teach(app: App) {
  return app.sheet.getByRole("button", { name: /^Teach it/ });
}

async function learn(app: App): Promise<void> {
  await open(app);
  await teach(app).click();
  await expect(app.sheet.getByRole("region", { name: "Result" })).toBeVisible({ timeout: 150_000 });
}

/** After the model has changed, everybody is looked at again. */
async function readAgain(app: App): Promise<void> {
  await expect(app.page.getByText(/^Looking at the people again/)).toHaveCount(0);
  await expect(app.page.getByText("These people were read with another model.")).toHaveCount(0);
}

test("what is missing is said kindly until there are two people with two confirmed pictures", async ({ app, page }) => {
  await startWithSamples(app);
  await open(app);
  await expect(
    app.sheet.getByText(/needs two people with two confirmed pictures each\. So far nobody has\./),
  ).toBeVisible();
  await expect(teach(app)).toBeDisabled();
  await expect(app.sheet.getByRole("radio", { name: /^A little/ })).toBeDisabled();
  await app.sheet.getByRole("button", { name: "Go to the people" }).click();
  await expect(app.sheet).toHaveCount(0);
  await confirm(app, 2);
  await open(app);
  await expect(app.sheet.getByText("It would learn from 8 pictures of 2 people.")).toBeVisible();
  await expect(teach(app)).toBeEnabled();
  await expect(app.sheet.locator(".learning-time")).toHaveText([/\w/, /\w/, /\w/]);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("the model learns: a curve in lines and words, before and after, and undo; names stay", async ({ app, page }) => {
  await startConfirmed(app, 5);
  await name(app, 0, "Ann");
  const before = await likenesses(app, "p01_1");
  await learn(app);
  const result = app.sheet.getByRole("region", { name: "Result" });
  await expect(result.locator("strong")).toHaveText(VERDICT);
  await expect(result.getByRole("row")).toHaveText([
    /Before\s*After/,
    /^First match is the right person\s*\d of 5\s*\d of 5$/,
    /^Right matches come before wrong ones\s*\d+ %\s*\d+ %$/,
  ]);
  await expect(app.toasts.filter({ hasText: /^The model has learnt\. It / }).first()).toBeVisible();
  await expect(app.sheet.locator(".loss-words")).toHaveText(
    /^The error fell from \d+\.\d+ in the first steps to \d+\.\d+/,
  );
  const points = (await app.sheet.locator(".loss polyline.raw").getAttribute("points")) ?? "";
  expect(points.split(" ")).toHaveLength(200);
  await expect(app.sheet.getByText("Undo brings back: Built-in model. Names and answers stay.")).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
  await readAgain(app);
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  const after = await likenesses(app, "p01_1");
  expect(after).not.toEqual(before);

  await open(app);
  await app.sheet.getByRole("button", { name: "Undo the learning" }).press("Enter");
  await expect(app.toasts.filter({ hasText: "Undone: learning." }).first()).toBeVisible();
  await expect(teach(app)).toBeFocused();
  await expect(result).toHaveCount(0);
  await expect(app.sheet.getByRole("button", { name: "Undo the learning" })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await readAgain(app);
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  expect(await likenesses(app, "p01_1")).toEqual(before);

  // Done again, it is the one that learnt, with what that saw.
  await page.keyboard.press("Control+Shift+Z");
  await expect(app.toasts.filter({ hasText: "Done again: learning." })).toBeVisible();
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(after);
  await open(app);
  await expect(result.locator("strong")).toHaveText(VERDICT);
});

test("it can be paused, resumed and cancelled, and then the model is as it was", async ({ app, page }) => {
  await startConfirmed(app, 5);
  const before = await likenesses(app, "p01_1");
  await open(app);
  await app.sheet.getByRole("radio", { name: /^Everything/ }).check();
  await teach(app).press("Enter");
  const label = page.locator(".job label");
  await expect(app.sheet.getByRole("button", { name: "Pause" })).toBeFocused();
  await expect(label).toHaveText(/^Learning: step \d+ of \d+, .* left$/, { timeout: 120_000 });
  await app.sheet.getByRole("button", { name: "Pause" }).click();
  await expect(label).toHaveText(/^Paused at step \d+ of \d+$/);
  // The step that was under way comes to its end, and no other begins. A search answers meanwhile.
  await page.keyboard.press("Escape");
  expect(await likenesses(app, "p01_1")).toEqual(before);
  let at = "";
  const stands = async () => {
    const before = at;
    at = (await label.textContent()) ?? "";
    return at === before;
  };
  await expect.poll(stands, { intervals: [4000] }).toBe(true);
  await open(app);
  await app.sheet.getByRole("button", { name: "Resume" }).click();
  await expect(label).toHaveText(/^Learning: step/);
  await app.sheet.getByRole("button", { name: "Pause" }).click();
  await app.sheet.getByRole("button", { name: "Cancel learning" }).click();
  await expect(app.toasts.filter({ hasText: "Cancelled. The model is as it was." }).first()).toBeVisible();
  await expect(teach(app)).toBeFocused();
  await expect(app.sheet.getByRole("button", { name: "Undo the learning" })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  expect(await likenesses(app, "p01_1")).toEqual(before);
});

test("learning is undone like everything else, several deep; without a picture to keep aside nothing is claimed", async ({
  app,
  page,
}) => {
  // Two pictures of each are all that is left to learn from.
  await page.route("**/samples.json", async (route) => {
    const all = (await (await route.fetch()).json()) as { file: string }[];
    await route.fulfill({ json: all.filter(({ file }) => /^p0[1346]_[12]/.test(file)) });
  });
  await app.page.unroute("**/webreid-small*.safetensors");
  await app.start();
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done: 8 photos read/);
  await confirm(app, 3);
  await learn(app);
  await expect(app.sheet.getByRole("region", { name: "Result" })).toHaveText(/^Whether it helped was not measured/);
  await page.keyboard.press("Escape");
  await readAgain(app);
  await learn(app);
  await expect(app.chip).toHaveText(/^Built-in model, improved twice · CPU/);
  await page.keyboard.press("Escape");
  await readAgain(app);
  await name(app, 0, "Ann");

  // From its own sheet, what was done since stays.
  await open(app);
  await expect(app.sheet.getByText(/^Undo brings back: Built-in model, improved\./)).toBeVisible();
  await app.sheet.getByRole("button", { name: "Undo the learning" }).click();
  await expect(app.toasts.filter({ hasText: "Undone: the model is Built-in model, improved again." })).toBeVisible();
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
  await page.keyboard.press("Escape");
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");

  // By the history, one after the other.
  const undo = async (chip: RegExp) => {
    await page.keyboard.press("Control+z");
    await expect(app.chip).toHaveText(chip);
    await readAgain(app);
  };
  await undo(/^Built-in model, improved twice · CPU/);
  await page.keyboard.press("Control+z");
  await expect(page.getByLabel("Name of Ann")).toHaveCount(0);
  await undo(/^Built-in model, improved · CPU/);
  await undo(/^Built-in model · CPU/);
  await expect(page.locator(".pick.sure")).toHaveCount(6);
  await page.keyboard.press("Control+Shift+Z");
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
});

test("where the result cannot be measured, that is said, and the model has learnt and works", async ({ app, page }) => {
  await startConfirmed(app, 5);
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message: { call: string }, ...options: unknown[]) {
      if (message.call === "evaluate") throw new Error("There is no memory.");
      Reflect.apply(postMessage, this, [message, ...options]);
    };
  });
  await open(app);
  await teach(app).click();
  await expect(app.sheet.getByRole("alert")).toHaveText(
    /^The model has learnt, but whether it helped could not be measured: .*no memory/,
    { timeout: 150_000 },
  );
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
});

test("when what was learnt cannot be kept, the model is as it was, and the people are as they were", async ({
  app,
  page,
}) => {
  await startConfirmed(app, 5);
  const before = await likenesses(app, "p01_1");
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    let exports = 0;
    Worker.prototype.postMessage = function (message: { call: string }, ...options: unknown[]) {
      // The first is of what the trainer starts from.
      if (message.call === "exportWeights" && exports++ > 0) throw new Error("There is no memory.");
      Reflect.apply(postMessage, this, [message, ...options]);
    };
  });
  await open(app);
  await teach(app).click();
  await expect(app.sheet.getByRole("alert")).toHaveText(/^Learning stopped: .*no memory.* The model is as it was\.$/, {
    timeout: 150_000,
  });
  await page.keyboard.press("Escape");
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(before);
});

test("what was learnt is saved to a file, loaded back, and kept when the device is changed", async ({ app, page }) => {
  await startConfirmed(app, 5);
  const before = await likenesses(app, "p01_1");
  await learn(app);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    app.sheet.getByRole("button", { name: "Save the model to a file" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("webreid-small-improved.safetensors");
  await expect(app.toasts.last()).toContainText("The model is saved as webreid-small-improved.safetensors.");
  await page.keyboard.press("Escape");
  await readAgain(app);
  const learnt = await likenesses(app, "p01_1");

  await app.chip.click();
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.sheet.locator("#device-reason")).toHaveText("CPU: you chose it.");
  await page.keyboard.press("Escape");
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(learnt);
  await open(app);
  await app.sheet.getByRole("button", { name: "Undo the learning" }).click();
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await page.keyboard.press("Escape");
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(before);

  const path = await download.path();
  await app.chip.click();
  await page.getByLabel("Choose a model file").setInputFiles(path);
  await expect(app.chip).not.toHaveText(/^Built-in model/);
  await page.keyboard.press("Escape");
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(learnt);
});

test("a .reid file brings its model along, and undo brings the one before back", async ({ app, page }) => {
  await startConfirmed(app, 5);
  await learn(app);
  await page.keyboard.press("Escape");
  await readAgain(app);
  const learnt = await likenesses(app, "p01_1");
  await page.getByRole("button", { name: "Keep and save" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save a .reid file" }).click(),
  ]);
  const buffer = readFileSync(await download.path());
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+z");
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await readAgain(app);
  await name(app, 0, "Zoe");
  const before = await likenesses(app, "p01_1");

  await app.drop([{ name: "people.reid", mimeType: "", buffer }]);
  await expect(app.toasts.filter({ hasText: /^Opened: 6 people/ })).toBeVisible();
  await expect(app.chip).toHaveText(/^Built-in model, improved · CPU/);
  await expect(page.getByLabel("Name of Zoe")).toHaveCount(0);
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(learnt);
  await app.undo.click();
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await expect(page.getByLabel("Name of Zoe")).toHaveCount(1);
  await readAgain(app);
  expect(await likenesses(app, "p01_1")).toEqual(before);
  await expect(app.toasts.filter({ hasText: "could not" })).toHaveCount(0);
});

test.describe("where what learns is not there yet", () => {
  const trainer = readdirSync(join(pageFolder, "assets")).find((name) => name.startsWith("webreid_train_bg")) ?? "";
  test.use({
    allowed: async ({ baseURL }, use) => use([new URL(`assets/${trainer}`, baseURL).href]),
  });

  for (const [what, answer] of [
    ["missing", { status: 404, body: "" }],
    ["an empty file, as `make demo` has it at first", { status: 200, body: "" }],
  ] as const) {
    test(`${what}: the page says so, and learns when it is there`, async ({ app, page }) => {
      await startConfirmed(app, 2);
      await page.route(`**/assets/${trainer}`, (route) => route.fulfill(answer));
      await open(app);
      await teach(app).click();
      await expect(app.sheet.getByRole("alert")).toHaveText(
        "Learning stopped: what it takes to learn is not on this page’s server yet. Where the page was only just built " +
          "(make demo), it is still being compiled, which takes some minutes: try again then. The page need not be loaded " +
          "anew, and everything else works. The model is as it was.",
      );
      await page.unroute(`**/assets/${trainer}`);
      await teach(app).click();
      await expect(app.sheet.getByRole("button", { name: "Pause" })).toBeVisible();
      await expect(page.locator(".job label")).toHaveText(/^Learning: step/);
      await app.sheet.getByRole("button", { name: "Cancel learning" }).click();
      await expect(app.sheet.getByRole("alert")).toHaveCount(0);
    });
  }
});
