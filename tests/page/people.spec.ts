import { type App, expect, test } from "./support/app.ts";
import { person } from "./support/png.ts";

const wardrobe = {
  ann: { top: [190, 40, 40], legs: [30, 30, 60] },
  ben: { top: [40, 60, 180], legs: [200, 190, 170] },
} as const;
const painted = Object.entries(wardrobe).flatMap(([name, clothes], i) =>
  [1, 2, 3].map((n) => person(`${name}-${n}.png`, clothes, 10 * n + i)),
);

/**
 * The photos of each person, by name: all read in one go, for a card that goes away between two questions would be
 * waited for.
 */
function sorted(app: App): Promise<Record<string, string[]>> {
  return app.people.evaluateAll((cards) =>
    Object.fromEntries(
      cards.map((card) => [
        card.querySelector("input")?.value ?? "",
        [...card.querySelectorAll("img")].map((thumb) => thumb.alt),
      ]),
    ),
  );
}

const photo = (app: App, name: string) => app.photos.and(app.page.getByTitle(name, { exact: true }));

test("with the keyboard: N makes a person, a number puts a photo there, 0 takes it out", async ({ app, page }) => {
  await app.start();
  await app.compare(painted);
  const { keyboard } = page;
  await photo(app, "ann-1.png").focus();
  await keyboard.press("n");
  await expect(app.status).toHaveText("ann-1.png is put with Person 1, who has 1 photo.");
  await keyboard.press("ArrowRight");
  await keyboard.press("1");
  await expect(app.status).toHaveText("ann-2.png is put with Person 1, who has 2 photos.");
  await expect(photo(app, "ann-2.png")).toBeFocused();
  await keyboard.press("End");
  await keyboard.press("N");
  await keyboard.press("ArrowLeft");
  await keyboard.press("1");
  await keyboard.press("2");
  await expect
    .poll(() => sorted(app))
    .toEqual({
      "Person 1": ["ann-1.png", "ann-2.png"],
      "Person 2": ["ben-3.png", "ben-2.png"],
    });
  await expect(photo(app, "ben-2.png")).toHaveText(/Person 2/);
  await keyboard.press("0");
  await expect(app.status).toHaveText("ben-2.png is taken out of Person 2.");
  await expect.poll(() => sorted(app)).toEqual({ "Person 1": ["ann-1.png", "ann-2.png"], "Person 2": ["ben-3.png"] });
});

test("by dragging: onto a person, onto the place for a new one, and from one to another", async ({ app, page }) => {
  // Nothing scrolls under the drag.
  await page.setViewportSize({ width: 1280, height: 1800 });
  await app.start();
  await app.compare(painted);
  const zone = page.locator("#new-person-zone");
  await photo(app, "ann-1.png").dragTo(zone);
  await photo(app, "ben-1.png").dragTo(zone);
  await photo(app, "ann-2.png").dragTo(app.people.first());
  await expect
    .poll(() => sorted(app))
    .toEqual({
      "Person 1": ["ann-1.png", "ann-2.png"],
      "Person 2": ["ben-1.png"],
    });
  await app.people.first().getByTitle("ann-2.png").dragTo(app.people.last());
  await expect.poll(() => sorted(app)).toEqual({ "Person 1": ["ann-1.png"], "Person 2": ["ben-1.png", "ann-2.png"] });
  await app.people.last().getByTitle("ann-2.png").hover();
  await page.getByRole("button", { name: "Take ann-2.png out of Person 2" }).click();
  await expect.poll(() => sorted(app)).toEqual({ "Person 1": ["ann-1.png"], "Person 2": ["ben-1.png"] });
  await expect(app.photos).toHaveCount(6);
});

test("from the chosen photo: a new person, and any person by the menu", async ({ app, page }) => {
  await app.start();
  await app.compare(painted);
  const create = page.getByRole("button", { name: "New person from the chosen photo" });
  await expect(create).toBeDisabled();
  await app.choose("ann-1.png");
  await create.click();
  await expect(create).toBeDisabled();
  const name = app.people.getByRole("textbox", { name: "Name of person 1" });
  await expect(name).toBeFocused();
  await name.fill("Ann");
  await name.press("Enter");
  await expect(app.status).toHaveText("Person 1 is called Ann now.");
  await expect(photo(app, "ann-1.png")).toHaveText(/Ann/);

  await app.choose("ann-3.png");
  const menu = page.getByLabel("This photo shows");
  await menu.selectOption("Ann");
  await expect(menu).toHaveValue(/\d/);
  await expect.poll(() => sorted(app)).toEqual({ Ann: ["ann-1.png", "ann-3.png"] });
  await menu.selectOption("a new person");
  await expect.poll(() => sorted(app)).toEqual({ Ann: ["ann-1.png"], "Person 2": ["ann-3.png"] });
  await menu.selectOption("nobody yet");
  await page.getByRole("button", { name: "Remove Person 2" }).click();
  await expect.poll(() => sorted(app)).toEqual({ Ann: ["ann-1.png"] });
  await page.getByRole("button", { name: "Remove Ann", exact: true }).click();
  await expect(app.people).toHaveCount(0);
  await expect(page.getByRole("heading", { name: /People/ })).toBeFocused();
  await expect(app.photos).toHaveCount(6);
});

test("a suggested match is confirmed or ruled out, for all photos of the person", async ({ app, page }) => {
  await app.start();
  await app.compare(painted);
  await app.choose("ann-1.png");
  await page.getByRole("button", { name: "Yes (ann-2.png shows the same person)" }).click();
  await expect(app.status).toHaveText("ann-1.png and ann-2.png are both Person 1.");
  await expect.poll(() => sorted(app)).toEqual({ "Person 1": ["ann-1.png", "ann-2.png"] });
  await expect(app.matches.filter({ hasText: "ann-2.png" })).toHaveText(/✓ Person 1$/);

  await page.getByRole("button", { name: "No (ben-1.png shows someone else)" }).press("Enter");
  await expect(app.matches).toHaveCount(4);
  expect(await app.ranking()).not.toContain("ben-1.png");
  // The keyboard stays in the list.
  expect(await page.evaluate(() => document.activeElement?.closest(".match-list li") !== null)).toBe(true);
  await app.choose("ann-2.png");
  await expect(app.matches).toHaveCount(4);
  expect(await app.ranking()).not.toContain("ben-1.png");
  await app.choose("ben-1.png");
  await expect(app.matches).toHaveCount(3);

  await page.getByRole("button", { name: "Suggest the 2 ruled out again" }).click();
  await expect(app.matches).toHaveCount(5);

  // Two people turn out to be one.
  await page.getByRole("button", { name: "Yes (ben-2.png shows the same person)" }).click();
  await page.getByRole("button", { name: "Yes (ann-2.png shows the same person)" }).click();
  await expect(app.status).toHaveText(/Person 1 and Person 2 are one person now\.$/);
  await expect(app.people).toHaveCount(1);
});

test("a photo that is removed leaves its person, and the sample photos sort themselves", async ({ app, page }) => {
  await app.start();
  await page.getByRole("button", { name: "Try the sample photos" }).click();
  await page.getByRole("button", { name: "Sort the sample photos into their people" }).click();
  await expect(app.status).toHaveText("20 sample photos sorted into their people.");
  await expect(app.people).toHaveCount(6);
  await expect(page.getByRole("list", { name: "p01: 4 photos" })).toBeVisible();
  await photo(app, "p01_1.jpg").press("Delete");
  await expect(page.getByRole("list", { name: "p01: 3 photos" })).toBeVisible();
  await page.getByRole("button", { name: "Remove all" }).click();
  await expect(app.people).toHaveCount(0);
});
