// Photos as they were given, and who is where on them. The red detector finds people: see support/png.ts.
import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import { person, type RedSquare, scene } from "./support/png.ts";

/** In a photo of 128×128 pixels somebody in the box 28, 32 to 52, 80; and in 92, 32 to 116, 80. */
const [LEFT, RIGHT]: RedSquare[] = [
  [32, 48, 16, 255],
  [96, 48, 16, 200],
] as RedSquare[];
const two = scene("garden/two.png", [LEFT, RIGHT] as RedSquare[]);
const one = scene("one.png", [LEFT] as RedSquare[]);
const nobody = scene("nobody.png", []);
const ann = person("ann.png", { top: [40, 40, 190], legs: [30, 30, 60] }, 1);

const states = (app: App) => app.photos.locator(".state");
const photo = (app: App, name: string) => app.photos.getByRole("button", { name });
const stage = (page: Page) => page.locator(".stage");
const boxes = (page: Page) => stage(page).locator(".box");

/** Where a box lies on the photo, in its pixels; nowhere for a moment, when another takes its place. */
async function placeOf(page: Page, box: Locator): Promise<number[]> {
  const [whole, part] = await Promise.all([stage(page).boundingBox(), box.boundingBox()]);
  if (!whole || !part) return [];
  const scale = 128 / whole.width;
  return [part.x - whole.x, part.y - whole.y, part.width, part.height].map((side) => Math.round(side * scale));
}

/** Moves the mouse over the photo, pressed, from one of its pixels to another. */
async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const whole = await stage(page).boundingBox();
  if (!whole) throw new Error("not shown");
  const at = ([x, y]: readonly [number, number]) =>
    [whole.x + (x * whole.width) / 128, whole.y + (y * whole.height) / 128] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]));
  await page.mouse.move(...at(to));
  await page.mouse.up();
}

test("photos are shown whole with who is on them, and by what was found", async ({ app, page }) => {
  await app.start();
  await app.read([two, nobody, ann]);
  await app.show("Photos");
  await expect(states(app)).toHaveText(["2 people", "nobody found", "1 person"]);
  await expect(photo(app, "two.png, 2 people").locator("rect")).toHaveCount(2);
  await expect(photo(app, "two.png, 2 people").locator("rect").first()).toHaveAttribute("width", "24");
  // A crop is its person's, whole.
  await expect(photo(app, "ann.png, 1 person").locator("rect")).toHaveCount(0);
  await page.getByRole("button", { name: "Nobody found (1)" }).click();
  await expect(app.photos.locator(".name")).toHaveText(["nobody.png"]);
  await page.getByRole("button", { name: "All (3)" }).click();
  await expect(app.photos).toHaveCount(3);
});

test("a photo opens large, says who is on it, and leads to them and to the next", async ({ app, page }) => {
  await app.start();
  await app.read([two, one, nobody]);
  await app.show("Photos");
  await photo(app, "two.png").focus();
  await page.keyboard.press("Enter");
  await expect(app.sheet.getByRole("heading", { level: 2 })).toHaveText(/two\.png$/);
  await expect(app.sheet.getByRole("img", { name: /^Photo .*two\.png, 2 people: / })).toBeVisible();
  await expect(boxes(page)).toHaveCount(2);
  expect(await placeOf(page, boxes(page).first())).toEqual([28, 32, 24, 48]);
  await page.keyboard.press("ArrowRight");
  await expect(app.sheet.getByText("2 of 3")).toBeVisible();
  await app.sheet.getByRole("button", { name: "Next photo" }).click();
  await expect(app.sheet.getByRole("img", { name: "Photo nobody.png, nobody found" })).toBeVisible();
  await app.sheet.getByRole("button", { name: "Previous photo" }).click();
  await expect(app.sheet.getByText("2 of 3")).toBeVisible();
  const there = app.sheet.getByRole("list", { name: "On this photo" }).getByRole("button");
  const name = (await there.locator(".name").textContent()) ?? "";
  await boxes(page).getByRole("button", { name }).click();
  await expect(app.sheet.getByRole("heading", { level: 2 })).not.toHaveText("one.png");
  await page.keyboard.press("Escape");
  await expect(app.sheet).toHaveCount(0);
});

test("somebody who was missed is added by the mouse, and taken back", async ({ app, page }) => {
  await app.start();
  await app.read(one);
  await app.show("Photos");
  await photo(app, "one.png").click();
  await drag(page, [90, 30], [120, 84]);
  await expect(app.toasts.filter({ hasText: /Box added/ }).first()).toBeVisible();
  await expect(boxes(page)).toHaveCount(2);
  // To the pixel that the mouse can be set to.
  const drawn = await placeOf(page, boxes(page).last());
  for (const [i, side] of [90, 30, 30, 54].entries()) expect(Math.abs((drawn[i] ?? 0) - side)).toBeLessThanOrEqual(1);
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expect(boxes(page)).toHaveCount(1);
  await page.keyboard.press("Control+Shift+z");
  await expect(boxes(page)).toHaveCount(2);
  await page.keyboard.press("Control+z");
  await expect(boxes(page)).toHaveCount(1);
  // The next is the photo itself.
  await page.keyboard.press("Control+z");
  await expect(app.sheet).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
});

test("a box is added, moved and removed by the keyboard alone", async ({ app, page }) => {
  await app.start();
  await app.read(one);
  await app.show("Photos");
  await photo(app, "one.png").click();
  const add = app.sheet.getByRole("button", { name: "Add a box" });
  await add.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(boxes(page)).toHaveCount(1);
  await expect(add).toBeFocused();
  await page.keyboard.press("Enter");
  const [x = 0, y = 0, width = 0, height = 0] = await placeOf(page, page.locator(".draft"));
  for (const key of ["ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowDown"]) await page.keyboard.press(key);
  const draft = await placeOf(page, page.locator(".draft"));
  expect(draft).toEqual([x + 5, y - 3, width, height + 3]);
  await page.keyboard.press("Enter");
  await expect(app.toasts.filter({ hasText: /Box added/ }).first()).toBeVisible();
  await expect(page.locator(".draft")).toHaveCount(0);
  await expect(boxes(page)).toHaveCount(2);
  expect(await placeOf(page, boxes(page).last())).toEqual(draft);
  await expect(add).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await boxes(page).last().getByRole("button").focus();
  await page.keyboard.press("Delete");
  await expect(app.toasts.filter({ hasText: /Box removed/ }).first()).toBeVisible();
  await expect(boxes(page)).toHaveCount(1);
});

test("photos on which nobody is are taken back as well, with the others and alone", async ({ app, page }) => {
  await app.start();
  await app.read(nobody);
  await expect(app.undo).toBeEnabled();
  await page.keyboard.press("Control+z");
  await expect(app.toasts.filter({ hasText: "Undone: photos added." }).first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  await app.redo.click();
  await app.show("Photos");
  await expect(app.photos.locator(".name")).toHaveText(["nobody.png"]);
  await app.read([one, scene("nobody-2.png", [], 140, 128)]);
  await expect(app.photos).toHaveCount(3);
  await app.undo.click();
  await expect(app.photos.locator(".name")).toHaveText(["nobody.png"]);
  await app.redo.click();
  await expect(states(app)).toHaveText(["nobody found", "1 person", "nobody found"]);
});

test("a box where there is one already is refused, and nothing is other than it was", async ({ app, page }) => {
  await app.start();
  await app.read(two);
  await app.show("Photos");
  await photo(app, "two.png").click();
  await expect(boxes(page)).toHaveCount(2);
  const before = await Promise.all([0, 1].map((i) => placeOf(page, boxes(page).nth(i))));
  const refused = app.toasts.filter({ hasText: "There is a box already." });
  // The one at the left, but for a pixel or two.
  await drag(page, [29, 29], [53, 79]);
  await expect(refused).toHaveCount(1);
  await expect(app.toasts.filter({ hasText: "Box added" })).toHaveCount(0);
  await expect(page.locator(".draft")).toHaveCount(0);
  await expect(boxes(page)).toHaveCount(2);
  expect(await Promise.all([0, 1].map((i) => placeOf(page, boxes(page).nth(i))))).toEqual(before);
  // What is taken back is what was done before.
  await page.keyboard.press("Control+z");
  await expect(app.sheet).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
});

test("a box is moved and resized, each in one step", async ({ app, page }) => {
  await app.start();
  await app.read(one);
  await app.show("Photos");
  await photo(app, "one.png").click();
  await app.sheet.getByRole("button", { name: "Change boxes" }).click();
  await drag(page, [40, 50], [60, 60]);
  await expect(app.toasts.filter({ hasText: /Box changed/ }).first()).toBeVisible();
  await expect(boxes(page)).toHaveCount(1);
  expect(await placeOf(page, boxes(page))).toEqual([48, 42, 24, 48]);
  await drag(page, [72, 90], [80, 100]);
  await expect.poll(() => placeOf(page, boxes(page))).toEqual([48, 42, 32, 58]);
  await expect(page.locator(".draft")).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect.poll(() => placeOf(page, boxes(page))).toEqual([48, 42, 24, 48]);
  await page.keyboard.press("Control+z");
  await expect.poll(() => placeOf(page, boxes(page))).toEqual([28, 32, 24, 48]);
  await expect(app.toasts.filter({ hasText: /^Undone/ }).first()).toBeVisible();
  await expect(page.locator(".draft")).toHaveCount(0);
  // A little is enough, though boxes that differ by so little are one where they are found.
  await drag(page, [40, 50], [42, 51]);
  await expect.poll(() => placeOf(page, boxes(page))).toEqual([30, 33, 24, 48]);
  await expect(page.locator(".draft")).toHaveCount(0);
  await boxes(page).click();
  await expect(page.locator(".draft")).toBeVisible();
  await app.sheet.getByRole("button", { name: "Remove box" }).click();
  await expect(app.toasts.filter({ hasText: "Box removed" })).toBeVisible();
  await expect(boxes(page)).toHaveCount(0);
});

test("a photo is taken as one person, or people are looked for in a crop", async ({ app, page }) => {
  await app.start();
  await app.read([two, ann]);
  await app.show("Photos");
  await photo(app, "two.png").click();
  const isOne = app.sheet.getByRole("switch", { name: "This photo shows one person" });
  await expect(isOne).not.toBeChecked();
  await isOne.click();
  await expect(isOne).toBeChecked();
  await expect(boxes(page)).toHaveCount(0);
  await expect(app.sheet.getByRole("list", { name: "On this photo" }).getByRole("listitem")).toHaveCount(1);
  await page.keyboard.press("Control+z");
  await expect(isOne).not.toBeChecked();
  await expect(boxes(page)).toHaveCount(2);
  await page.keyboard.press("ArrowRight");
  await expect(isOne).toBeChecked();
  await isOne.click();
  await expect(app.sheet.getByText("nobody found", { exact: true })).toBeVisible();
});

test("photos are removed with their people, and all comes back", async ({ app, page }) => {
  await app.start();
  await app.read([two, one, nobody, ann]);
  await app.show("Photos");
  await page.getByRole("button", { name: "Select", exact: true }).click();
  await photo(app, "two.png").click();
  await photo(app, "nobody.png").click();
  await expect(photo(app, "two.png")).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(app.photos.locator(".name")).toHaveText(["one.png", "ann.png"]);
  await expect(app.toasts.filter({ hasText: /2 photos removed/ }).first()).toBeVisible();
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expect(states(app)).toHaveText(["2 people", "1 person", "nobody found", "1 person"]);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  // By the keyboard, one after the other: the focus is on the next.
  await photo(app, "two.png").focus();
  await page.keyboard.press("ArrowRight");
  await expect(photo(app, "one.png")).toBeFocused();
  await page.keyboard.press("Delete");
  await expect(photo(app, "nobody.png")).toBeFocused();
  await page.keyboard.press("Delete");
  await expect(photo(app, "ann.png")).toBeFocused();
  await expect(app.toasts.filter({ hasText: "1 photo removed" })).toBeVisible();
  await page.getByRole("button", { name: "Remove all" }).click();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  await expect(app.toasts.filter({ hasText: "2 photos removed" })).toBeVisible();
  for (const _ of ["all", "nobody.png", "one.png"]) await page.keyboard.press("Control+z");
  await expect(states(app)).toHaveText(["2 people", "1 person", "nobody found", "1 person"]);
  await page.keyboard.press("Control+Shift+z");
  await expect(app.photos.locator(".name")).toHaveText(["two.png", "nobody.png", "ann.png"]);
  // Removed for good, it may come again.
  await app.read(one);
  await expect(app.photos.locator(".name")).toHaveText(["two.png", "nobody.png", "ann.png", "one.png"]);
});

test.describe("in the dark", () => {
  test.use({ colorScheme: "dark" });
  test("nothing is hard to see or to reach", ({ app, page }) => accessible(app, page));
});

test("nothing is hard to see or to reach", ({ app, page }) => accessible(app, page));

async function accessible(app: App, page: Page): Promise<void> {
  await app.start();
  await app.read([two, nobody, ann]);
  await app.show("Photos");
  await page.getByRole("button", { name: "Select", exact: true }).click();
  await photo(app, "two.png").click();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await photo(app, "two.png").click();
  await app.sheet.getByRole("button", { name: "Change boxes" }).click();
  await app.sheet.getByRole("button", { name: "Add a box" }).click();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
}

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a tap opens a photo, and a finger draws where boxes are changed", async ({ app, page }) => {
    const long = `${"a-very-long-name-".repeat(12)}.png`;
    await app.start();
    await app.read([scene(long, [LEFT] as RedSquare[]), ann]);
    await app.show("Photos");
    await photo(app, "a-very").tap();
    await expect(boxes(page)).toHaveCount(1);
    for (const root of ["html", "dialog.sheet"]) {
      const over = await page.locator(root).evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(over, root).toBeLessThanOrEqual(0);
    }
    await app.sheet.getByRole("button", { name: "Change boxes" }).tap();
    const whole = await stage(page).boundingBox();
    if (!whole) throw new Error("not shown");
    const session = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", x: number, y: number) =>
      session.send("Input.dispatchTouchEvent", {
        type,
        touchPoints:
          type === "touchEnd" ? [] : [{ x: whole.x + x * whole.width, y: whole.y + y * whole.height, id: 1 }],
      });
    await touch("touchStart", 0.7, 0.25);
    await touch("touchMove", 0.8, 0.4);
    await touch("touchMove", 0.9, 0.6);
    await touch("touchEnd", 0.9, 0.6);
    await expect(app.toasts.filter({ hasText: /Box added/ }).first()).toBeVisible();
    await expect(boxes(page)).toHaveCount(2);
  });
});
