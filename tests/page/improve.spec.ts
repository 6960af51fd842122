import { type App, expect, test } from "./support/app.ts";

const VERDICT = /^It (helped|made no difference|did not help) on the photos kept aside\.$/;

/** The page with the sample photos, all sorted into their six people. */
async function startSorted(app: App): Promise<void> {
  await app.start();
  await app.page.getByRole("button", { name: "Try the sample photos" }).click();
  await app.page.getByRole("button", { name: "Sort the sample photos into their people" }).click();
  await expect(app.page.locator("li.seen")).toHaveCount(20);
  await expect(app.improve).toBeEnabled();
}

/** The slowest depth, so that there is something to watch and to stop. */
async function startSlowly(app: App): Promise<void> {
  await app.page.getByRole("radio", { name: /^Everything/ }).check();
  await app.improve.press("Enter");
}

/** Scores of the first sample photo's matches: they show which model is at work. */
async function scores(app: App): Promise<number[]> {
  await app.choose("p01_1.jpg");
  await expect(app.matches).toHaveCount(19);
  return app.scores();
}

test("what is missing is said until there are two people with two photos each", async ({ app, page }) => {
  await app.start();
  const reason = page.locator("#improve-reason");
  await expect(app.improve).toBeDisabled();
  await expect(page.getByRole("radio", { name: /^A little/ })).toBeDisabled();
  await expect(reason).toHaveText(/at least two people with two photos each\. So far nobody has two/);
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText(/^Done/);
  await app.photos.first().focus();
  for (const key of ["n", "ArrowRight", "1", "End", "n"]) await page.keyboard.press(key);
  await expect(reason).toHaveText(/So far only one has two/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("2");
  await expect(reason).toBeHidden();
  await expect(app.improve).toBeEnabled();
  for (const depth of ["quick", "deeper", "full"]) await expect(page.locator(`#${depth}-time`)).toHaveText(/\w/);
});

test("the model learns: a curve in lines and words, a before and after, and undo", async ({ app, page }) => {
  await startSorted(app);
  const before = await scores(app);
  await app.improve.click();
  await expect(app.result).toBeVisible({ timeout: 150_000 });
  await expect(app.result.locator("strong")).toHaveText(VERDICT);
  await expect(app.result.getByRole("row")).toHaveText([
    /Before\s*After/,
    /^First match is the right person\s*\d of 6\s*\d of 6$/,
    /^Right matches come before wrong ones\s*\d+ %\s*\d+ %$/,
  ]);
  await expect(app.status).toHaveText(/^Done: the model has learnt from your photos\. It /);
  await expect(page.locator("#loss-words")).toHaveText(/^The error fell from \d+\.\d+ in the first steps to \d+\.\d+/);
  const points = (await page.locator("#loss polyline.raw").getAttribute("points")) ?? "";
  expect(points.split(" ")).toHaveLength(200);
  await expect(app.modelSummary).toHaveText(/^The built-in model, improved is ready/);
  expect(await scores(app)).not.toEqual(before);

  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await expect(app.status).toHaveText("Undone: the model is as it was before it learnt.");
  await expect(app.improve).toBeFocused();
  await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
  await expect(app.result).toBeHidden();
  await expect(page.getByRole("button", { name: "Undo" })).toBeHidden();
  expect(await scores(app)).toEqual(before);
});

test("where the result cannot be measured, that is said, and the model has learnt and works", async ({ app, page }) => {
  await page.route("**/webreid_people_bg*.wasm", (route) => route.fulfill({ body: "no module" }));
  await startSorted(app);
  const before = await scores(app);
  await app.improve.click();
  await expect(app.status).toHaveText(
    /^Learning stopped: This browser cannot compile .* The model has learnt from your photos\.$/,
    { timeout: 150_000 },
  );
  await expect(app.modelSummary).toHaveText(/^The built-in model, improved is ready/);
  expect(await scores(app)).not.toEqual(before);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(app.status).toHaveText("Undone: the model is as it was before it learnt.");
});

test("it tells how far it is, can be paused, resumed and cancelled, and then the model is as it was", async ({
  app,
  page,
}) => {
  await startSorted(app);
  const before = await scores(app);
  await startSlowly(app);
  const label = page.locator("#job-label");
  await expect(label).toHaveText(/^Learning: step \d+ of \d+, .* left$/);
  await expect(page.getByRole("button", { name: "Pause" })).toBeFocused();
  // A search answers meanwhile.
  await app.choose("p02_1.jpg");
  await expect(app.matches).toHaveCount(19);
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(app.status).toHaveText("Paused. Nothing is lost: resume when you like.");
  await expect(label).toHaveText(/^Paused at step \d+ of \d+$/);
  // The step that was under way comes to its end, and no other begins.
  let at = "";
  const stands = async () => {
    const before = at;
    at = (await label.textContent()) ?? "";
    return at === before;
  };
  await expect.poll(stands, { intervals: [6000] }).toBe(true);
  expect(await scores(app)).toEqual(before);
  await expect(label).toHaveText(at);

  await page.getByRole("button", { name: "Resume" }).click();
  await expect(label).toHaveText(/^Learning: step/);
  await expect.poll(() => label.textContent()).not.toContain(at.replace("Paused at ", ""));
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Cancel learning" }).click();
  await expect(app.status).toHaveText("Cancelled. The model is as it was.");
  await expect(app.improve).toBeFocused();
  await expect(page.getByRole("button", { name: "Undo" })).toBeHidden();
  await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
  expect(await scores(app)).toEqual(before);

  // And with the button at the foot.
  await startSlowly(app);
  await expect(label).toHaveText(/^Learning: step/);
  await app.cancel.click();
  await expect(app.status).toHaveText("Cancelled. The model is as it was.");
});

test("without a photo to keep aside, nothing is claimed", async ({ app, page }) => {
  await app.start();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText(/^Done/);
  await app.photos.first().focus();
  for (const key of ["n", "ArrowRight", "1", "End", "n", "ArrowLeft", "2"]) await page.keyboard.press(key);
  await app.improve.click();
  await expect(app.result).toHaveText(/^Whether it helped was not measured/, { timeout: 150_000 });
});

test("when what was learnt cannot be kept for later, no photo is compared by the model before", async ({
  app,
  page,
}) => {
  await startSorted(app);
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    let exports = 0;
    Worker.prototype.postMessage = function (message: { call: string }, ...options: unknown[]) {
      // The first is of what the trainer starts from.
      if (message.call === "exportWeights" && exports++ > 0) throw new Error("There is no memory.");
      Reflect.apply(postMessage, this, [message, ...options]);
    };
  });
  await app.improve.click();
  await expect(app.status).toHaveText(/^Learning stopped: .*no memory.* The model has learnt from your photos\.$/, {
    timeout: 150_000,
  });
  await expect(page.locator("li.seen")).toHaveCount(0);
  await page.getByRole("button", { name: "Compare the other 20 photos" }).click();
  await expect(app.status).toHaveText("Done: 20 photos compared.");
  await app.choose("p01_1.jpg");
  await expect(app.matches).toHaveCount(19);
});

test("what was learnt is saved to a file, loaded back, and kept when the device is changed", async ({ app, page }) => {
  await startSorted(app);
  const before = await scores(app);
  await app.improve.click();
  await expect(app.result).toBeVisible({ timeout: 150_000 });
  const learnt = await scores(app);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save the model to a file" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("webreid-small-improved.safetensors");
  await expect(app.status).toHaveText("The model is saved as webreid-small-improved.safetensors.");

  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.deviceReason).toHaveText("CPU: you chose it.");
  await expect(app.status).toHaveText("Done: 20 photos compared.");
  await expect(app.modelSummary).toHaveText(/^The built-in model, improved is ready/);
  expect(await scores(app)).toEqual(learnt);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
  await expect(app.status).toHaveText("Done: 20 photos compared.");
  expect(await scores(app)).toEqual(before);

  await page.getByLabel("Load a saved model").setInputFiles(await download.path());
  await expect(app.status).toHaveText("Done: 20 photos compared.");
  expect(await scores(app)).toEqual(learnt);
});
