import { BUILT_IN_MODEL, expect, test } from "./support/app.ts";

test("the first screen asks for one thing, in forty words", async ({ app, page }) => {
  await app.start();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  await expect(page.getByRole("img", { name: /become rows/ })).toBeVisible();
  // What is folded away does not count.
  const shown = await page
    .locator("h1, h2, p, button, label, summary, a, nav")
    .filter({ visible: true })
    .allTextContents();
  const words = shown
    .join(" ")
    .split(/\s+/)
    .filter((word) => /\w/.test(word));
  expect(words.length, words.join(" ")).toBeLessThanOrEqual(40);
  await page.getByText("Before you use it").click();
  await expect(page.getByRole("heading", { name: "A match is a suggestion, not proof" })).toBeVisible();
});

test("the sample photos become people by one click", async ({ app, page }) => {
  await app.start();
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done: 20 photos read\. 20 pictures of people/);
});

test("what finds people is fetched when photos are about to come, and not before", async ({ app, page }) => {
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
  const detectors = () => fetched.filter((path) => path.includes("nanodet")).length;
  await app.start();
  expect(detectors()).toBe(0);
  // The dialog stays open.
  const chooser = page.waitForEvent("filechooser");
  await page.getByText("Choose photos", { exact: true }).click();
  await chooser;
  await expect.poll(detectors).toBe(1);
});

test("photos can be given before there is a model", async ({ app, page }) => {
  const held: (() => void)[] = [];
  await page.route(BUILT_IN_MODEL, async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.fallback();
  });
  await app.open();
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(page.getByText("Reading photos: 1 of 20")).toBeVisible();
  for (const go of held) go();
  await expect(app.status).toHaveText(/^Done: 20 photos read/);
});
