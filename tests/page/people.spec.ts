// Sorting people on the page: names, joining, moving, splitting, hiding, and the way back from each.
import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import { type Clothes, person } from "./support/png.ts";

const WARDROBE: Record<string, Clothes> = {
  ann: { top: [230, 30, 30], legs: [230, 30, 30] },
  ben: { top: [20, 200, 40], legs: [20, 200, 40] },
  cyd: { top: [20, 20, 230], legs: [20, 20, 230] },
};

/** `ann-1.png` and so on: so many photos of each. */
function painted(counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).flatMap(([name, count], who) =>
    Array.from({ length: count }, (_, i) =>
      person(`${name}-${i + 1}.png`, WARDROBE[name] as Clothes, 100 * who + i + 1),
    ),
  );
}

// So wide that whole rows are seen.
test.use({ viewport: { width: 1920, height: 1000 } });

/** Who is who, a line each in the order of the page: the name, the photos, and a star for each that is confirmed. */
function sorted(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const line = (root: Element, name: string) => {
      const photos = [...root.querySelectorAll<HTMLElement>(".pick")].map(
        ({ title, classList }) => title.replace(".png", "") + (classList.contains("sure") ? "*" : ""),
      );
      return `${name}: ${photos.sort().join(" ")}`;
    };
    const rows = [...document.querySelectorAll(".people-list .person")].map((row) =>
      line(row, row.querySelector<HTMLInputElement>("input.name")?.value || "?"),
    );
    const tray = document.querySelector("#unsure");
    return tray ? [...rows, line(tray, "not sure")] : rows;
  });
}

async function expectSorted(page: Page, lines: readonly string[]): Promise<void> {
  await expect.poll(async () => (await sorted(page)).sort(), { timeout: 10_000 }).toEqual([...lines].sort());
}

const row = (page: Page, photo: string): Locator => page.locator(".person", { has: page.getByTitle(`${photo}.png`) });
const pick = (page: Page, photo: string): Locator => page.locator(".pick").and(page.getByTitle(`${photo}.png`));
const check = (page: Page, photo: string): Locator => row(page, photo).locator(".check input");
/** The tick box of a picture, which is there under the pointer. */
const tick = (page: Page, photo: string): Locator => page.getByRole("checkbox", { name: `Select ${photo}.png` });
const nameOf = (page: Page, photo: string): Locator => row(page, photo).getByRole("combobox", { name: /^Name of/ });

/** The names that there are. */
async function names(page: Page): Promise<string[]> {
  const all = await page
    .locator("input.name")
    .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value));
  return all.filter((name) => name !== "").sort();
}

async function giveName(page: Page, photo: string, name: string): Promise<void> {
  await nameOf(page, photo).fill(name);
  await nameOf(page, photo).press("Enter");
}

async function start(app: App, counts: Readonly<Record<string, number>> = { ann: 6, ben: 5, cyd: 4 }): Promise<void> {
  await app.start();
  await app.read(painted(counts));
}

const series = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`).join(" ");
const ALL = [`?: ${series("ann", 6)}`, `?: ${series("ben", 5)}`, `?: ${series("cyd", 4)}`];

test("everybody is a row, the biggest first; a name sticks, and is taken back and given again two acts deep", async ({
  app,
  page,
}) => {
  await start(app);
  await expect(page.getByRole("heading", { name: "3 people, 15 pictures" })).toBeVisible();
  await expect.poll(() => sorted(page)).toEqual(ALL);
  await giveName(page, "ann-1", "  Ann ");
  await expect(app.toasts.last()).toHaveText(/^Named Ann\./);
  // The name confirms one photo: whoever saw a few of them did not say that all are right.
  const named = (await sorted(page))[0] ?? "";
  expect(named).toMatch(/^Ann: /);
  expect(named.match(/\*/g)).toHaveLength(1);
  await giveName(page, "ben-1", "Ben");
  await expect(app.toasts.last()).toHaveText(/^Named Ben\./);

  await page.getByRole("heading", { name: /15 pictures/ }).click();
  await page.keyboard.press("Control+z");
  await expect(nameOf(page, "ben-1")).toHaveValue("");
  await page.keyboard.press("Control+z");
  await expect(app.toasts.last()).toHaveText(/^Undone: name\./);
  await expectSorted(page, ALL);
  await page.keyboard.press("Control+Shift+Z");
  await page.keyboard.press("Control+Shift+Z");
  await expect(nameOf(page, "ann-1")).toHaveValue("Ann");
  await expect(nameOf(page, "ben-1")).toHaveValue("Ben");

  // What was named stays so, however strict one is.
  await page.getByRole("slider").fill("1");
  await expect(page.getByRole("list", { name: "Not sure" }).locator(".pick")).toHaveCount(13);
  await expect(nameOf(page, "ann-1").or(page.locator("input.name").first())).not.toHaveCount(0);
  expect((await sorted(page)).slice(0, 2).map((line) => line.split(":")[0])).toEqual(["Ann", "Ben"]);
  await page.getByRole("button", { name: "Find it by itself" }).click();
  await expect(page.getByRole("slider")).toBeFocused();
  await expect(page.locator("#unsure")).toHaveCount(0);
});

test("no name, a name that somebody has and a long one are dealt with kindly", async ({ app, page }) => {
  await start(app);
  await giveName(page, "ann-1", "Ann");
  await expect(app.toasts.last()).toHaveText(/^Named Ann/);
  await giveName(page, "ann-1", " ");
  await expect(row(page, "ann-1").getByRole("alert")).toHaveText("Type a name first.");
  await expect(nameOf(page, "ann-1")).toHaveValue("Ann");

  await giveName(page, "ben-1", "ANN");
  const ask = page.getByRole("dialog", { name: "Is this the same Ann?" });
  await ask.getByRole("button", { name: "Somebody else" }).click();
  await expect(row(page, "ben-1").getByRole("alert")).toHaveText(
    "Somebody is called Ann already. Choose another name.",
  );
  await expect(page.locator(".person")).toHaveCount(3);
  await giveName(page, "cyd-1", "ann");
  await ask.getByRole("button", { name: "The same person" }).click();
  await expect(page.locator(".person")).toHaveCount(2);
  await expect(row(page, "cyd-1")).toContainText("10 pictures");
  await expect(nameOf(page, "cyd-1")).toHaveValue("Ann");
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator(".person")).toHaveCount(3);

  const long = "Wolfeschlegelsteinhausenbergerdorff ".repeat(4).trim();
  await giveName(page, "ben-1", long);
  await expect(nameOf(page, "ben-1")).toHaveAttribute("title", long.slice(0, 100).trim());
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test("people are joined: several at once, by dragging, and with names only after a question", async ({ app, page }) => {
  await start(app);
  for (const name of ["ann-1", "ben-1", "cyd-1"]) await check(page, name).click();
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.locator(".person")).toHaveCount(1);
  await expect(page.locator(".person")).toContainText("15 pictures");
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expectSorted(page, ALL);

  await row(page, "cyd-1").locator(".check").dragTo(row(page, "ben-1").locator(".strip"));
  await expect(page.locator(".person")).toHaveCount(2);
  await expect(row(page, "cyd-1")).toContainText("9 pictures");
  await page.keyboard.press("Control+z");
  await expectSorted(page, ALL);

  await giveName(page, "ann-1", "Ann");
  await giveName(page, "ben-1", "Ben");
  await expect(nameOf(page, "ben-1")).toHaveValue("Ben");
  await check(page, "ann-1").press("Space");
  await check(page, "ben-1").press("Space");
  await page.getByRole("button", { name: "Join" }).click();
  const ask = page.getByRole("dialog", { name: "Ann and Ben: one person?" });
  await ask.getByRole("button", { name: "Different people" }).click();
  await expect(ask).toHaveCount(0);
  await expect.poll(() => names(page)).toEqual(["Ann", "Ben"]);
  await page.getByRole("button", { name: "Join" }).click();
  await ask.getByRole("button", { name: "One person: Ann" }).click();
  await expect.poll(() => names(page)).toEqual(["Ann"]);
  // No picture of either goes.
  for (const photo of ["ann-1", "ann-6", "ben-1", "ben-5"]) await expect(nameOf(page, photo)).toHaveValue("Ann");
  await app.toasts.last().getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => names(page)).toEqual(["Ann", "Ben"]);
});

test("photos are picked by mouse and moved: to a new person, on a row, away, to a name that is typed", async ({
  app,
  page,
}) => {
  await start(app);
  const bar = page.getByRole("region", { name: "What is selected" });
  const photos = await row(page, "ann-1").locator(".pick").all();
  await photos[0]?.click({ modifiers: ["Control"] });
  await photos[2]?.click({ modifiers: ["Shift"] });
  await expect(bar).toContainText("3 pictures selected");
  await photos[1]?.click({ modifiers: ["Control"] });
  await expect(bar).toContainText("2 pictures selected");
  await bar.getByRole("button", { name: "New person" }).click();
  await expect(app.toasts.last()).toHaveText(/^2 pictures moved to Person \d+\./);
  await expect(bar).toHaveCount(0);
  await expect(page.locator(".pick.sure")).toHaveCount(2);
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expectSorted(page, ALL);

  await pick(page, "cyd-2").dragTo(row(page, "ben-1").locator(".strip"));
  await expect(row(page, "cyd-2")).toContainText("6 pictures");
  await expect(row(page, "ben-1").locator(".sure")).toHaveCount(2);
  await pick(page, "cyd-2").hover();
  await tick(page, "cyd-2").click();
  await bar.getByRole("button", { name: "Not this person" }).click();
  await expect(app.toasts.last()).toHaveText(/^1 picture taken out\./);
  await expect(row(page, "ben-1")).toContainText("5 pictures");

  await pick(page, "ben-1").click({ modifiers: ["Control"] });
  // While one is selected, a click selects another.
  await pick(page, "ben-3").click();
  await bar.getByRole("button", { name: "Move to …" }).click();
  const dialog = page.getByRole("dialog", { name: "Move 2 pictures to" });
  await dialog.getByRole("combobox").fill("Bob");
  await expect(dialog.getByRole("option")).toHaveText(["A new person called Bob"]);
  await page.keyboard.press("Enter");
  await expect(nameOf(page, "ben-1")).toHaveValue("Bob");
  await expect(row(page, "ben-1").locator(".sure")).toHaveCount(2);
});

test("a click opens: the person, then the photo, which leads back; a drag that ends nowhere selects nothing", async ({
  app,
  page,
}) => {
  await start(app);
  await expect(tick(page, "ann-1")).toHaveCSS("opacity", "0");
  await pick(page, "ann-1").hover();
  await expect(tick(page, "ann-1")).toHaveCSS("opacity", "1");
  await pick(page, "ann-1").click();
  await expect(app.sheet.getByRole("heading", { name: "Person 1" })).toBeVisible();
  await app.sheet.getByRole("button", { name: "ann-2.png, suggested" }).dblclick();
  await expect(app.sheet.getByRole("img", { name: /^Photo ann-2\.png, 1 person: Person 1$/ })).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(app.sheet.getByRole("heading", { name: "ann-3.png" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(app.sheet.getByRole("heading", { name: "Person 1" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(app.sheet).toHaveCount(0);

  await pick(page, "ann-1").dragTo(page.getByRole("heading", { name: /15 pictures/ }));
  await expect(page.locator(".tick:checked")).toHaveCount(0);
  await expectSorted(page, ALL);
  await pick(page, "ann-1").focus();
  await page.keyboard.press("Enter");
  await expect(app.sheet.getByRole("heading", { name: "Person 1" })).toBeVisible();
});

test("who has no name keeps a number of their own, whatever becomes of the others", async ({ app, page }) => {
  const labels = () =>
    page.locator(".people-list .person").evaluateAll((rows) =>
      rows
        .map((row) => [
          row.querySelector<HTMLElement>(".pick")?.title.slice(0, 3),
          row.querySelector<HTMLInputElement>("input.name")?.placeholder.replace(/ · .*/, ""),
        ])
        .map((both) => both.join(" "))
        .sort(),
    );
  await start(app);
  await expect(page.getByPlaceholder("Person 2 · add a name")).toBeVisible();
  const all = ["ann Person 1", "ben Person 2", "cyd Person 3"];
  expect(await labels()).toEqual(all);

  // However strict: split and together again, everybody is called as before.
  await page.getByRole("slider").fill("1");
  await expect(page.locator("#unsure")).toHaveCount(1);
  await page.getByRole("button", { name: "Find it by itself" }).click();
  await expect.poll(labels).toEqual(all);

  // Moved all to a new person, they are who they were.
  await row(page, "cyd-1")
    .getByRole("button", { name: /show all/ })
    .click();
  const { sheet } = app;
  await sheet
    .locator(".pick")
    .first()
    .click({ modifiers: ["Control"] });
  await page.keyboard.press("Control+a");
  await sheet.getByRole("button", { name: "New person" }).click();
  await expect(app.toasts.last()).toHaveText(/^4 pictures moved to Person 3\./);
  await expect(sheet).toHaveCount(0);
  await expect.poll(labels).toEqual(all);

  // Joined, Ben's number is nobody's, also when somebody new comes.
  for (const name of ["ann-1", "ben-1"]) await check(page, name).click();
  await page.getByRole("button", { name: "Join" }).click();
  await expect.poll(labels).toEqual(["ann Person 1", "cyd Person 3"]);
  await app.undo.click();
  await expect.poll(labels).toEqual(all);
  await app.redo.click();
  await expect.poll(labels).toEqual(["ann Person 1", "cyd Person 3"]);
  for (const name of ["ann-1", "ann-2"]) await pick(page, name).click({ modifiers: ["Control"] });
  await page.getByRole("button", { name: "New person" }).click();
  await expect.poll(labels).toEqual(["ann Person 1", "ann Person 4", "cyd Person 3"]);

  // Somebody who is named so is not called as another is.
  await giveName(page, "ann-1", "person 3");
  const ask = page.getByRole("dialog", { name: "Is this the same Person 3?" });
  await ask.getByRole("button", { name: "Somebody else" }).click();
  await expect(row(page, "ann-1").getByRole("alert")).toContainText("Somebody is called Person 3 already.");
});

test("a rubber band picks what it touches", async ({ app, page }) => {
  await start(app);
  const strip = async (photo: string) =>
    (await row(page, photo).locator(".strip").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const [first, second] = [await strip("ann-1"), await strip("ben-1")];
  await page.mouse.move(first.x + 500, first.y + 20);
  await page.mouse.down();
  await page.mouse.move(first.x + 300, second.y + 10);
  await page.mouse.move(first.x + 160, second.y + 40);
  await expect(page.locator(".lasso")).toBeVisible();
  await page.mouse.up();
  await expect(page.locator(".lasso")).toHaveCount(0);
  // All but the first two of both rows.
  await expect(page.locator(".tick:checked")).toHaveCount(7);
  await page.keyboard.press("Escape");
  await expect(page.locator(".tick:checked")).toHaveCount(0);
});

test("with the keyboard alone: pick, move, take out, and the focus stays", async ({ app, page }) => {
  await start(app);
  const { keyboard } = page;
  await page.locator(".pick[tabindex='0']").focus();
  await keyboard.press("Space");
  await keyboard.press("Shift+ArrowRight");
  await keyboard.press("Shift+ArrowRight");
  await expect(page.locator(".tick:checked")).toHaveCount(3);
  await keyboard.press("Escape");
  await keyboard.press("ArrowDown");
  await expect(row(page, "ben-1").locator(".pick:focus")).toHaveCount(1);
  await keyboard.press("m");
  await page.keyboard.type("Person");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(app.toasts.last()).toHaveText(/^1 picture moved to Person \d+\./);
  await expect(row(page, "ben-1").or(row(page, "ben-2")).first().locator(".pick")).not.toHaveCount(0);
  expect(await page.evaluate(() => document.activeElement?.className)).toContain("pick");
  await keyboard.press("Control+z");
  await expectSorted(page, ALL);
  await page.locator(".pick").first().focus();
  await keyboard.press("Delete");
  await expect(app.toasts.last()).toHaveText(/^1 picture taken out\./);
  expect(await page.evaluate(() => document.activeElement?.className)).toContain("pick");
  await keyboard.press("Control+z");
  await expectSorted(page, ALL);
});

test("one person: what is suggested is confirmed, another cover, hidden and shown again", async ({ app, page }) => {
  await start(app);
  await row(page, "ann-1")
    .getByRole("button", { name: /show all 6 pictures/ })
    .click();
  const { sheet } = app;
  await expect(sheet.getByRole("list", { name: "Suggested: 6" }).locator(".pick")).toHaveCount(6);
  await sheet.getByRole("button", { name: "Yes, all of these" }).click();
  await expect(sheet.getByRole("list", { name: "Confirmed: 6" }).locator(".pick.sure")).toHaveCount(6);
  await expect(sheet.getByRole("button", { name: "ann-1.png, confirmed" })).toBeVisible();
  await expect(sheet.getByRole("heading", { name: /Suggested/ })).toHaveCount(0);

  const others = sheet.locator(".pick");
  await others.nth(2).click({ modifiers: ["Control"] });
  const covers = await sheet.getByRole("button", { name: "Cover picture" }).count();
  if (covers === 0) {
    await others.nth(2).click({ modifiers: ["Control"] });
    await others.nth(3).click({ modifiers: ["Control"] });
  }
  await sheet.getByRole("button", { name: "Cover picture" }).click();
  await expect(sheet.locator(".toast")).toHaveText(/has another cover picture\./);

  await sheet.getByRole("button", { name: "ann-2.png" }).click({ modifiers: ["Control"] });
  await sheet.getByRole("button", { name: "Hide", exact: true }).click();
  await expect(sheet.locator(".pick")).toHaveCount(5);
  await page.keyboard.press("Escape");
  await expect(sheet).toHaveCount(0);
  await expect(page.getByRole("heading", { name: /, 14 pictures/ })).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("heading", { name: /, 15 pictures/ })).toBeVisible();
  await page.keyboard.press("Control+Shift+Z");
  await page.getByRole("button", { name: "1 hidden" }).click();
  await page
    .getByRole("list", { name: "Hidden pictures" })
    .locator(".pick")
    .click({ modifiers: ["Control"] });
  await page.getByRole("button", { name: "Show again" }).click();
  await expect(page.getByRole("heading", { name: /, 15 pictures/ })).toBeVisible();
  await expect(row(page, "ann-2").locator(".sure")).toHaveCount(6);
});

test("one person turns out to be several, or nobody", async ({ app, page }) => {
  await start(app);
  await row(page, "cyd-1").locator(".check").dragTo(row(page, "ann-1").locator(".strip"));
  await expect(page.locator(".person")).toHaveCount(2);
  await row(page, "cyd-1")
    .getByRole("button", { name: /show all 10/ })
    .click();
  await app.sheet.getByRole("button", { name: "These are several people" }).click();
  await expect(app.sheet).toHaveCount(0);
  await expect(app.toasts.last()).toHaveText(/^Person \d+ is 2 people now\./);
  await expect(row(page, "ann-1")).toContainText("6 pictures");
  await expect(row(page, "cyd-1")).toContainText("4 pictures");
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "cyd-1")).toContainText("10 pictures");
  await page.keyboard.press("Control+z");
  await expectSorted(page, ALL);

  await giveName(page, "ben-1", "Ben");
  await row(page, "ben-1")
    .getByRole("button", { name: /show all 5/ })
    .click();
  await app.sheet.getByRole("button", { name: "Take apart" }).click();
  await expect(app.toasts.last()).toHaveText(/^Ben is taken apart\./);
  await expect(app.sheet).toHaveCount(0);
  await expectSorted(page, ALL);
  await app.toasts.getByRole("button", { name: "Undo" }).click();
  await expect(nameOf(page, "ben-1")).toHaveValue("Ben");
});

test("who looks like nobody is left to the user", async ({ app, page }) => {
  await start(app, { ann: 4, ben: 4, cyd: 1 });
  await expectSorted(page, [`?: ${series("ann", 4)}`, `?: ${series("ben", 4)}`, "not sure: cyd-1"]);
  await expect(page.getByRole("link", { name: "1 not sure" })).toBeVisible();
  await pick(page, "cyd-1").dragTo(row(page, "ben-1").locator(".strip"));
  // One of the others is confirmed with it, so that they stay together.
  await expect(row(page, "ben-1")).toContainText("5 pictures");
  await expect(row(page, "ben-1").locator(".sure")).toHaveCount(2);
  await expect(page.locator("#unsure")).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(page.locator("#unsure .pick")).toHaveCount(1);
});

test("rows stay where they are under the pointer while others grow", async ({ app, page }) => {
  await start(app);
  await row(page, "ann-1").locator(".pick").first().hover();
  await app.read(painted({ ann: 6, ben: 13 }).slice(-8));
  await expect(row(page, "ben-1")).toContainText("13 pictures");
  expect((await sorted(page))[0]).toMatch(/ann/);
  await page.mouse.move(5, 5);
  await expect.poll(async () => (await sorted(page))[0]).toMatch(/ben/);
});

test("cameras are said, and what they do to colours counts again by a switch", async ({ app, page }) => {
  await app.start();
  await app.read(
    painted({ ann: 5, ben: 5 }).map((file) => ({
      ...file,
      name: `000${file.name.slice(4, 5)}_c${file.name < "b" ? 1 : 2}_${file.name}`,
    })),
  );
  await expect(page.getByText("Photos of 2 cameras")).toBeVisible();
  const off = page.getByRole("checkbox", { name: "Take it off" });
  await expect(off).toBeChecked();
  await off.uncheck();
  await expect(page.getByText("Sorting …")).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect(off).toBeChecked();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the place and the sheet can be used by everybody (${colorScheme})`, async ({ app, page }) => {
    await page.emulateMedia({ colorScheme });
    await start(app, { ann: 4, ben: 4, cyd: 1 });
    await giveName(page, "ann-1", "Ann");
    await pick(page, "ann-1").click({ modifiers: ["Control"] });
    const check = async () => expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await check();
    await page.keyboard.press("m");
    await check();
    await page.keyboard.press("Escape");
    await row(page, "ann-1")
      .getByRole("button", { name: /show all 4/ })
      .click();
    await app.sheet.locator(".tick").first().check();
    await check();
  });
}

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("a tap opens, a long press picks", async ({ app, page }) => {
    await start(app);
    await pick(page, "ann-1").scrollIntoViewIfNeeded();
    await pick(page, "ann-1").tap();
    await expect(app.sheet).toBeVisible();
    await app.sheet.getByRole("button", { name: "Close" }).tap();
    await pick(page, "ann-1").evaluate(async (button) => {
      const at = { bubbles: true, pointerType: "touch", pointerId: 7, clientX: 1, clientY: 1 };
      button.dispatchEvent(new PointerEvent("pointerdown", at));
      await new Promise((resolve) => setTimeout(resolve, 600));
      button.dispatchEvent(new PointerEvent("pointerup", at));
    });
    await expect(page.getByText("1 picture selected")).toBeVisible();
    await pick(page, "ann-2").tap();
    await expect(page.getByText("2 pictures selected")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const small = await page
      .locator("button:visible, .check:visible")
      .evaluateAll((all) =>
        all.filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 120)),
      );
    expect(small).toEqual([]);
  });
});
