// The network goes away after the page was opened: it is said in plain words, and goes on when there is one again.
import type { Page } from "@playwright/test";
import { BUILT_IN_DETECTOR, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { redDetector, tinyCheckpoint } from "./support/files.ts";
import { person, type RedSquare, scene } from "./support/png.ts";
import { confirm, startWithSamples } from "./support/sorting.ts";

// The browser tells of what it could not fetch.
test.use({ errors: /Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_FAILED/ });

const OFFLINE = "The network cannot be reached. Try again when you are online.";
const painted = Array.from({ length: 4 }, (_, i) =>
  person(`photo-${i}.png`, { top: [20, 20, 230], legs: [20, 20, 230] }, 1 + i),
);

/** A file of the page that is there as long as there is a network. */
async function serve(page: Page, url: string, path: string): Promise<{ isOnline: boolean }> {
  const network = { isOnline: true };
  await page.route(url, (route) => (network.isOnline ? route.fulfill({ path }) : route.abort("internetdisconnected")));
  return network;
}

test("before the model is there: it is said, a button tries again, and so does the page when there is a network", async ({
  app,
  page,
  context,
}) => {
  const network = await serve(page, BUILT_IN_MODEL, tinyCheckpoint);
  network.isOnline = false;
  await app.open();
  await expect(app.chip).toHaveText("No model");
  await app.add(painted);
  await app.chip.click();
  await expect(app.sheet.getByRole("alert")).toHaveText(OFFLINE);
  const again = app.sheet.getByRole("button", { name: "Try again" });
  await again.click();
  await expect(app.sheet.getByRole("alert")).toHaveText(OFFLINE);
  await context.setOffline(true);
  network.isOnline = true;
  await context.setOffline(false);
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await expect(again).toHaveCount(0);
  await expect(app.sheet.getByRole("alert")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(app.status).toHaveText(/^Done: 4 photos read/);
});

test("before the first photo: it waits, and is read when there is a network", async ({ app, page, context }) => {
  await app.start();
  await context.setOffline(true);
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.toasts).toHaveText(`The sample photos could not be loaded. ${OFFLINE}`);
  await app.add(painted);
  await expect(app.toasts.filter({ hasText: `Reading stopped. ${OFFLINE}` })).toBeVisible();
  const button = page.getByRole("button", { name: "Read the other 4 photos" });
  await expect(page.locator(".banner").filter({ has: button })).toContainText(OFFLINE);
  await button.click();
  await expect(app.toasts.filter({ hasText: `Reading stopped. ${OFFLINE}` }).nth(1)).toBeVisible();
  await expect(app.problems).toHaveCount(0);
  await context.setOffline(false);
  await expect(app.status).toHaveText(/^Done: 4 photos read\. 4 pictures of people/);
});

test("what finds people in photos does not come: none is taken for one person, and all are looked through later", async ({
  app,
  page,
  context,
}) => {
  const network = await serve(page, BUILT_IN_DETECTOR, redDetector);
  await app.start();
  await app.read(painted.slice(0, 1));
  network.isOnline = false;
  await context.setOffline(true);
  await app.add(scene("two.png", [[32, 48, 16, 255] as RedSquare, [96, 48, 16, 200] as RedSquare]));
  await expect(app.toasts.filter({ hasText: `Reading stopped. ${OFFLINE}` })).toBeVisible();
  await app.show("Photos");
  await expect(app.photos.getByRole("button", { name: "two.png, waiting" })).toBeVisible();
  network.isOnline = true;
  await context.setOffline(false);
  await expect(app.photos.getByRole("button", { name: "two.png, 2 people" })).toBeVisible();
});

test("another program's model, and learning: both say so, and both go when there is a network", async ({
  app,
  page,
  context,
}) => {
  await startWithSamples(app);
  await confirm(app, 2);
  await context.setOffline(true);
  await app.chip.click();
  const file = page.getByLabel("Choose a model file");
  await file.setInputFiles(tinyCheckpoint);
  await expect(app.sheet.getByRole("alert")).toHaveText(`${OFFLINE} The model loaded before is still in use.`);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Teach it", exact: true }).click();
  const teach = app.sheet.getByRole("button", { name: /^Teach it/ });
  await teach.click();
  await expect(app.sheet.getByRole("alert")).toHaveText(`Learning stopped: ${OFFLINE} The model is as it was.`);
  await context.setOffline(false);
  await teach.click();
  await expect(page.getByText(/^Learning: step \d/)).toBeVisible();
  await app.sheet.getByRole("button", { name: "Cancel learning" }).click();
  await page.keyboard.press("Escape");
  await app.chip.click();
  await file.setInputFiles(tinyCheckpoint);
  await expect(app.chip).toHaveText(/^tiny_osnet\.safetensors · CPU/);
});
