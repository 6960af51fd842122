import { BUILT_IN_MODEL, expect, test } from "./support/app.ts";

test("the page has a model at once, says what to do, in four steps, and where it computes", async ({ app, page }) => {
  await app.start();
  const steps = page.getByRole("region", { name: "Matches" }).getByRole("listitem");
  await expect(steps).toHaveText([/^Add photos/, /^Choose a photo/, /^Say who is who/, /^Improve the model/]);
  await expect(app.deviceReason).toHaveText(/^CPU: this browser has (no WebGPU|WebGPU, but found no graphics adapter)/);
  await expect(page.getByRole("button", { name: "Use another model" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "A match is a suggestion, not proof" })).toBeVisible();
  await expect(page.getByText("Your photos never leave this device.")).toBeVisible();
});

test("a GPU that is asked for and not there is named as the reason, before and after loading", async ({
  app,
  page,
}) => {
  await app.open("?device=gpu");
  await expect(page.getByLabel("Runs on")).toHaveValue("gpu");
  const reason = /^No GPU to compute on: .* Choose the device "auto" or "cpu" instead\.$/;
  await expect(app.deviceReason).toHaveText(reason);
  await expect(app.modelError).toHaveText(reason);
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.deviceReason).toHaveText("CPU: you chose it.");
  await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
});

test("photos can be looked at before there is a model", async ({ app, page }) => {
  // A server that never answers.
  await page.route(BUILT_IN_MODEL, () => {});
  await app.open();
  await expect(page.getByText("The model that comes with this page is being loaded")).toBeVisible();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText("20 photos added.");
  await expect(app.photos).toHaveCount(20);
  await app.photos.first().click();
  await expect(page.getByText("The model is not loaded yet")).toBeVisible();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText("0 photos added; 20 were already here.");
});
