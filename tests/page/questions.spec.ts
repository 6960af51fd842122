// Whether two groups show one person: asked, answered, taken back.
import type { Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import { type Clothes, person } from "./support/png.ts";

const WARDROBE: Record<string, Clothes> = {
  ann: { top: [230, 30, 30], legs: [230, 30, 30] },
  ben: { top: [20, 200, 40], legs: [20, 200, 40] },
  cyd: { top: [20, 20, 230], legs: [20, 20, 230] },
};

test.use({ viewport: { width: 1920, height: 1000 } });

async function start(app: App): Promise<void> {
  const counts = { ann: 6, ben: 5, cyd: 4 };
  await app.start();
  await app.read(
    Object.entries(counts).flatMap(([name, count], who) =>
      Array.from({ length: count }, (_, i) =>
        person(`${name}-${i + 1}.png`, WARDROBE[name] as Clothes, 100 * who + i + 1),
      ),
    ),
  );
  await expect(app.people).toHaveCount(3);
  await expect(card(app.page).getByRole("figure")).toHaveCount(2);
}

const card = (page: Page) => page.getByRole("region", { name: "Question" });

/** The photos of the question's two sides. */
async function asked(page: Page): Promise<string> {
  await expect(card(page).locator("[aria-busy=false]")).toHaveCount(1);
  await expect(card(page).locator(".large img")).toHaveCount(2);
  const sides = await card(page)
    .getByRole("figure")
    .evaluateAll((figures) =>
      figures.map((figure) =>
        [...figure.querySelectorAll("img")]
          .map(({ alt }) => alt.slice(0, 5))
          .sort()
          .join(" "),
      ),
    );
  return sides.join(" | ");
}

/** Puts questions off until one is about these two. */
async function untilAbout(page: Page, a: string, b: string): Promise<void> {
  await expect
    .poll(async () => {
      const [one = "", two = ""] = (await asked(page)).split(" | ");
      if ((one.includes(a) && two.includes(b)) || (one.includes(b) && two.includes(a))) return true;
      await card(page).getByRole("button", { name: "Later" }).click();
      return false;
    })
    .toBe(true);
}

const size = (page: Page, photo: string) => page.locator(".person", { has: page.getByTitle(`${photo}.png`) });

test("answers by key are counted, taken back with their question, and never asked for again", async ({ app, page }) => {
  await start(app);
  await expect(card(page)).toContainText("Each answer sorts more pictures.");
  const seen: string[] = [];
  for (const key of ["n", "u", "n"]) {
    const question = await asked(page);
    seen.push(question);
    await page.keyboard.press(key);
    await expect.poll(() => asked(page)).not.toBe(question);
    await expect(card(page)).toContainText(`${seen.length} answer`);
  }
  expect(new Set(seen).size).toBe(3);

  // The question comes back with the answer that is taken back: by the toast, then by keys, two deep.
  await app.toasts.last().getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => asked(page)).toBe(seen[2]);
  await expect(card(page)).toContainText("2 answers given");
  await page.keyboard.press("Control+z");
  await expect.poll(() => asked(page)).toBe(seen[1]);
  await page.keyboard.press("Control+Shift+Z");
  await page.keyboard.press("Control+Shift+Z");
  await expect(card(page)).toContainText("3 answers given");

  // Up to the last: each is new.
  for (let answers = 0; answers < 40; answers++) {
    const question = await Promise.race([
      asked(page),
      page
        .getByText("No more questions")
        .waitFor()
        .then(() => undefined),
    ]);
    if (question === undefined) break;
    expect(seen).not.toContain(question);
    seen.push(question);
    await card(page).getByRole("button", { name: "Can’t tell" }).click();
    await expect(card(page)).toContainText(`${seen.length} answers given`);
  }
  await expect(page.getByRole("heading", { name: /^No more questions/ })).toBeVisible();
});

test("yes joins two groups whole; keys are a text's while one types", async ({ app, page }) => {
  await start(app);
  await untilAbout(page, "ann", "ben");
  await page.locator("input.name").first().focus();
  await page.keyboard.type("nyu");
  await expect(card(page)).toContainText("Each answer");
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: /15 pictures/ }).click();
  await page.keyboard.press("y");
  await expect(size(page, "ann-1")).toContainText("11 pictures");
  await expect(app.toasts.last()).toHaveText(/^One person\./);
  await page.keyboard.press("Control+z");
  await expect(app.people).toHaveCount(3);
  await page.keyboard.press("Control+Shift+Z");
  await expect(size(page, "ann-1")).toContainText("11 pictures");
});

test("two people with names are not joined by one yes", async ({ app, page }) => {
  await start(app);
  await untilAbout(page, "ann", "ben");
  for (const [photo, name] of [
    ["ann-1", "Ann"],
    ["ben-1", "Ben"],
  ] as const) {
    await size(page, photo).locator("input.name").fill(name);
    await size(page, photo).locator("input.name").press("Enter");
    await expect(app.toasts.last()).toHaveText(new RegExp(`^Named ${name}`));
  }
  await expect(card(page).getByText("Ann", { exact: true })).toBeVisible();
  await card(page).getByRole("button", { name: "Yes" }).click();
  const ask = page.getByRole("dialog", { name: /: one person\?$/ });
  await ask.getByRole("button", { name: "Different people" }).click();
  await expect(ask).toHaveCount(0);
  await expect(page.locator("input.name").first()).toHaveValue("Ann");
  expect(
    await page.locator("input.name").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value)),
  ).toEqual(expect.arrayContaining(["Ann", "Ben"]));
});

test("who said no and joins them all the same is asked, and no picture goes", async ({ app, page }) => {
  await start(app);
  await untilAbout(page, "ann", "ben");
  await page.keyboard.press("n");
  await expect(card(page)).toContainText("1 answer given");
  await size(page, "ann-1").locator(".check input").click();
  await size(page, "ben-1").locator(".check input").click();
  await page.getByRole("button", { name: "Join" }).click();
  const ask = page.getByRole("dialog", { name: "You said otherwise before" });
  const answered = ask.getByRole("button", { name: "What I say now" });
  await answered
    .or(page.locator(".toast", { hasText: "joined" }))
    .first()
    .waitFor();
  if (await answered.isVisible()) await answered.click();
  await expect(page.getByRole("heading", { name: /15 pictures/ })).toBeVisible();
  await expect(size(page, "ann-1")).toContainText(/1[15] pictures/);
  const shown = await page.locator(".pick").evaluateAll((all) => all.map((one) => (one as HTMLElement).title));
  expect(shown).toHaveLength(15);
});
