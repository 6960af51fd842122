import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./support/app.ts";
import { tinyCheckpoint } from "./support/files.ts";
import { person } from "./support/png.ts";

const photos = Array.from({ length: 12 }, (_, i) =>
  person(`${i}.png`, { top: [i * 20, 90, 255 - i * 20], legs: [40, i * 15, 60] }, i),
);
const broken = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("text") };

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`));
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    test.use({ colorScheme });

    test("axe finds nothing, on the empty page and on a full one", async ({ app, page }) => {
      await app.start();
      await expect(app.deviceReason).toHaveText(/^CPU/);
      expect(await violations(page)).toEqual([]);
      await app.loadModel(broken);
      await expect(app.modelError).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await app.loadModel(tinyCheckpoint);
      await app.compare([...photos, broken]);
      await app.choose("3.png");
      await expect(app.matches).toHaveCount(11);
      expect(await violations(page)).toEqual([]);
    });

    test("axe finds nothing with people, while the model learns, and with the result", async ({ app, page }) => {
      await app.start();
      await app.compare(photos.slice(0, 5));
      await app.photos.first().focus();
      for (const key of ["n", "ArrowRight", "1", "ArrowRight", "1", "End", "n", "ArrowLeft", "2"]) {
        await page.keyboard.press(key);
      }
      await app.choose("0.png");
      await expect(app.matches).toHaveCount(4);
      expect(await violations(page)).toEqual([]);
      // The slowest depth, so that there is time to pause.
      await page.getByRole("radio", { name: /^Everything/ }).check();
      await app.improve.click();
      await page.getByRole("button", { name: "Pause" }).click();
      await expect(page.locator("#job-label")).toHaveText(/^Paused at step/);
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: "Cancel learning" }).click();
      await page.getByRole("radio", { name: /^A little/ }).check();
      await app.improve.click();
      await expect(app.result).toBeVisible({ timeout: 150_000 });
      await expect(app.status).toHaveText(/^Done/);
      expect(await violations(page)).toEqual([]);
    });
  });
}

test("a phone's window scrolls in one direction only", async ({ app, page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await app.start();
  await app.compare([...photos, broken]);
  await app.choose("3.png");
  await expect(app.matches).toHaveCount(11);
  await expect(app.matches.first()).toBeInViewport();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("the whole way, with the keyboard only", async ({ app, page }) => {
  const { keyboard } = page;
  const tabTo = async (name: string | RegExp) => {
    for (let i = 0; i < 30; i++) {
      await keyboard.press("Tab");
      const label = await page.evaluate(() => {
        const focused = document.activeElement as HTMLInputElement | null;
        return focused?.labels?.[0]?.textContent ?? focused?.getAttribute("aria-label") ?? focused?.textContent ?? "";
      });
      if (typeof name === "string" ? label.trim() === name : name.test(label)) return;
    }
    throw new Error(`Tab never comes to ${name}.`);
  };
  const pick = async (files: Parameters<typeof app.addPhotos>[0]) => {
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), keyboard.press("Enter")]);
    await chooser.setFiles(files);
  };

  // Has the browser hand over its file choosers from the start: asked for at the key press, it may come too late.
  page.on("filechooser", () => {});
  await app.start();
  await tabTo("Skip to the photos");
  await tabTo("Use another model");
  await keyboard.press("Enter");
  await pick(tinyCheckpoint);
  await expect(page.getByRole("button", { name: "Use another model" })).toBeFocused();
  await tabTo("Add photos");
  await pick(photos);
  await expect(app.status).toHaveText(/^Done/);

  await tabTo("0.png");
  await keyboard.press("ArrowRight");
  await keyboard.press("ArrowRight");
  await keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Photos most like 2.png" })).toBeVisible();
  await expect(page.getByTitle("2.png", { exact: true })).toHaveAttribute("aria-pressed", "true");

  await keyboard.press("ArrowDown");
  const below = await page.evaluate(() => (document.activeElement as HTMLElement).title);
  expect(below).not.toBe("2.png");
  await keyboard.press("ArrowUp");
  await expect(page.getByTitle("2.png", { exact: true })).toBeFocused();
  await keyboard.press("End");
  await keyboard.press("Delete");
  await expect(app.photos).toHaveCount(11);
  await expect(page.getByTitle("10.png", { exact: true })).toBeFocused();

  await tabTo(/^This photo shows/);
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await expect(page.getByText("It is not the probability")).toBeVisible();
  await keyboard.press("Tab");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Photos most like 2.png" })).toBeHidden();
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  expect(outline).toBe("solid");
});
