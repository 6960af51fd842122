// Three hundred photos at once.
import { expect, test } from "./support/app.ts";
import { person } from "./support/png.ts";

const COUNT = 300;
const crowd = Array.from({ length: COUNT }, (_, i) => {
  const shade = (salt: number) => (i * salt * 47) % 256;
  return person(`${i}.png`, { top: [shade(1), shade(3), shade(5)], legs: [shade(7), shade(11), shade(13)] }, i, 32, 64);
});

test("all are read, and only those that are seen are drawn", async ({ app, page }) => {
  await app.start();
  await app.read(crowd);
  await expect(app.status).toHaveText(new RegExp(`^Done: ${COUNT} photos read\\. ${COUNT} pictures of people`));
  await app.show("Photos");
  await expect(app.photos.first()).toHaveAttribute("aria-setsize", String(COUNT));
  expect(await app.photos.count()).toBeLessThan(COUNT / 2);
  await app.photos.getByRole("button").first().focus();
  await page.keyboard.press("End");
  await expect(page.locator(".source button:focus")).toHaveAttribute("aria-label", "299.png, 1 person");
  await expect(page.locator(".source button:focus")).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(app.sheet.getByText("300 of 300")).toBeVisible();
  // So many take memory that only the end of what looks at them gives back.
  const working = () => page.workers().filter((worker) => /\/(picture-)?worker-/.test(worker.url())).length;
  await expect.poll(working, { timeout: 20_000 }).toBe(0);
});

test("reading is cancelled half-way and taken up again, photos added meanwhile included", async ({ app, page }) => {
  await app.start();
  await app.add(crowd.slice(0, 200));
  await expect(page.getByText(/^Reading photos: [1-9]\d* of 200/)).toBeVisible();
  await app.add(crowd.slice(200));
  await expect(page.getByText(/^Reading photos: [1-9]\d* of 300/)).toBeVisible();
  await app.cancel.click();
  await expect(app.status).toHaveText(/^Cancelled: [1-9]\d* photos? not read yet\.$/);
  const left = Number(/\d+/.exec((await app.status.textContent()) ?? "")?.[0]);
  expect(left).toBeLessThan(COUNT);
  await app.show("Photos");
  await page.getByRole("button", { name: `Read the other ${left} photos` }).click();
  await expect(app.status).toHaveText(new RegExp(`^Done: ${left} photos read`));
  await expect(page.getByRole("button", { name: /^Not read yet/ })).toHaveCount(0);
});

test("photos are removed while they are read, some and then all", async ({ app, page }) => {
  await app.start();
  await app.add(crowd);
  await expect(page.getByText(/^Reading photos/)).toBeVisible();
  await app.show("Photos");
  await app.photos.getByRole("button").first().focus();
  await page.keyboard.press("Delete");
  await expect(app.toasts.filter({ hasText: /1 photo removed/ }).first()).toBeVisible();
  await expect(app.photos.first()).toHaveAttribute("aria-setsize", "299");
  await page.getByRole("button", { name: "Remove all" }).click();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  await expect(app.cancel).toHaveCount(0);
  await expect(app.toasts.filter({ hasText: /299 photos removed/ }).first()).toBeVisible();
  // Nobody comes after all.
  await app.read(crowd.slice(100, 110));
  await expect(app.status).toHaveText(/^Done: 10 photos read\. 10 pictures of people/);
  await app.show("Photos");
  await expect(app.photos).toHaveCount(10);
});
