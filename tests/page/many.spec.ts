import { expect, test } from "./support/app.ts";
import { tinyCheckpoint } from "./support/files.ts";
import { person } from "./support/png.ts";

const COUNT = 300;
const crowd = Array.from({ length: COUNT }, (_, i) => {
  const shade = (salt: number) => (i * salt * 47) % 256;
  return person(`${i}.png`, { top: [shade(1), shade(3), shade(5)], legs: [shade(7), shade(11), shade(13)] }, i, 32, 64);
});

test("three hundred photos at once are compared, and the best fifty shown first", async ({ app, page }) => {
  await app.start();
  await app.compare(crowd);
  await expect(app.status).toHaveText(`Done: ${COUNT} photos compared.`);
  await expect(app.photos).toHaveCount(COUNT);
  await app.choose("7.png");
  await expect(app.matches).toHaveCount(50);
  await page.getByRole("button", { name: "Show 50 more" }).click();
  await expect(app.matches).toHaveCount(100);
});

test("work can be cancelled half-way and taken up again", async ({ app, page }) => {
  await app.start();
  await app.addPhotos(crowd);
  await expect(page.getByText(new RegExp(`Comparing photos: [1-9]\\d* of ${COUNT}`))).toBeVisible();
  // The page answers while it works.
  await app.photos.first().click();
  await expect(app.photos.first()).toHaveAttribute("aria-pressed", "true");
  await app.cancel.click();
  await expect(app.status).toHaveText(/^Cancelled: [1-9]\d* photos? compared, [1-9]\d* not yet\.$/);
  const done = Number(/\d+/.exec((await app.status.textContent()) ?? "")?.[0]);
  await app.photos.first().click();
  await expect(app.matches).toHaveCount(Math.min(50, done - 1));

  await page.getByRole("button", { name: `Compare the other ${COUNT - done} photos` }).click();
  await expect(app.status).toHaveText(`Done: ${COUNT - done} photos compared.`);
});

test("photos can all be removed while they are compared, and the model stays", async ({ app, page }) => {
  await app.start();
  await app.addPhotos(crowd);
  await expect(page.getByText(/Comparing photos/)).toBeVisible();
  await page.getByRole("button", { name: "Remove all" }).click();
  await expect(app.photos).toHaveCount(0);
  await expect(app.cancel).toBeHidden();
  await expect(app.status).toHaveText("All photos removed.");
  await app.compare(crowd.slice(0, 10));
  await expect(app.status).toHaveText("Done: 10 photos compared.");
});

test("loading a model can be cancelled", async ({ app, page }) => {
  // A server that never answers.
  await page.route("**/slow.safetensors", () => {});
  await app.start();
  await page.getByRole("button", { name: "Use another model" }).click();
  await page.getByLabel("Address of a model").fill("/slow.safetensors");
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await app.cancel.click();
  await expect(app.status).toHaveText("Loading the model was cancelled.");
  await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
  await app.loadModel(tinyCheckpoint);
  await expect(app.modelSummary).toHaveText(/^tiny_osnet\.safetensors is ready/);
});
