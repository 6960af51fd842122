import { expect, test } from "./support/app.ts";

test("an empty page says what to do, in three steps, and where it would compute", async ({ app, page }) => {
  await app.open();
  const steps = page.getByRole("region", { name: "Matches" }).getByRole("listitem");
  await expect(steps).toHaveText([/^Load a model/, /^Add photos/, /^Choose a photo/]);
  await expect(page.getByText("None comes with this page yet")).toBeVisible();
  await expect(app.deviceReason).toHaveText(/^CPU: this browser has (no WebGPU|WebGPU, but found no graphics adapter)/);
  await expect(page.getByRole("heading", { name: "A match is a suggestion, not proof" })).toBeVisible();
  await expect(page.getByText("Your photos never leave this device.")).toBeVisible();
});

test("a GPU that is asked for and not there is named as the reason, before and after loading", async ({
  app,
  page,
}) => {
  await app.open("?device=gpu");
  await expect(page.getByLabel("Runs on")).toHaveValue("gpu");
  await expect(app.deviceReason).toHaveText(/^No GPU to compute on: .* Choose the device "auto" or "cpu" instead\.$/);
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.deviceReason).toHaveText("CPU: you chose it.");
});

test("photos can be looked at before there is a model", async ({ app, page }) => {
  await app.open();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText("20 photos added. Load a model to compare them.");
  await expect(app.photos).toHaveCount(20);
  await app.photos.first().click();
  await expect(page.getByText("Load a model first")).toBeVisible();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await expect(app.status).toHaveText("0 photos added; 20 were already here. Load a model to compare them.");
});
