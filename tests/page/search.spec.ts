import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./support/app.ts";
import { band, confirm, found, name, searchFor, searchWith, startWithSamples } from "./support/sorting.ts";

test("the others are likely, maybe or unlikely the same person, and can be searched with in turn", async ({
  app,
  page,
}) => {
  await startWithSamples(app);
  await searchFor(app, "p01_1");
  await expect(app.sheet.getByText("Searched with 4 pictures that the page takes for one person.")).toBeVisible();
  await expect(app.sheet.getByText("Nobody else looks like the same person.")).toBeVisible();
  expect(await band(app, "Unlikely")).toHaveLength(16);
  await searchWith(app, "p03_3.jpg");
  expect((await band(app, "Likely")).sort()).toEqual(["p03_1", "p03_2"]);
  // No naked number, and it is there for who wants it.
  await expect(found(app, "p03_2.jpg")).not.toContainText(/\d %/);
  await expect(found(app, "p03_2.jpg")).toHaveAttribute("title", /^(over )?9\d % likely · likeness 0\.\d\d of 1$/);
  const folded = app.sheet.locator("details.band");
  await expect(folded).not.toHaveAttribute("open");
  await folded.getByRole("heading", { name: "Unlikely 17" }).click();
  await expect(found(app, "p01_2.jpg")).toBeVisible();
  await searchWith(app, "p06_2.jpg");
  expect((await band(app, "Likely")).sort()).toEqual(["p06_1", "p06_3", "p06_4"]);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("yes and no by the keyboard, taken back by undo, and the search goes on with what was said", async ({
  app,
  page,
}) => {
  await startWithSamples(app);
  await searchFor(app, "p01_1");
  await searchWith(app, "p03_3.jpg");
  const [first, second] = [found(app, "p03_2.jpg"), found(app, "p03_1.jpg")];
  await first.focus();
  await page.keyboard.press("y");
  await expect(first).toHaveAccessibleName(/^p03_2\.jpg\. Same person\./);
  await expect(first).toBeFocused();
  await expect(app.toasts.filter({ hasText: "p03_2.jpg shows this person." }).first()).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(second).toBeFocused();
  await page.keyboard.press("n");
  await expect(second).toHaveAccessibleName(/Somebody else/);
  await expect(app.sheet.getByRole("button", { name: "Search again with 2 answers" })).toBeVisible();
  // Within the sheet: outside of it nothing can be reached.
  await app.sheet.getByRole("button", { name: "Undo" }).click();
  await expect(second).toHaveAccessibleName(/Likely/);
  await expect(first).toHaveAccessibleName(/Same person/);
  await app.sheet.getByRole("button", { name: "Search again with 1 answer" }).click();
  await expect(app.sheet.getByText("Already confirmed (1)")).toBeVisible();
  await expect(first).toHaveCount(0);
  expect(await band(app, "Likely")).toEqual(["p03_1"]);
});

test("two people with names become one only when that was said", async ({ app, page }) => {
  await startWithSamples(app);
  await confirm(app, 2);
  await name(app, 0, "Ann");
  await name(app, 1, "Ben");
  await searchFor(app, "p02_1");
  // What was confirmed for others is found by a picture alone.
  await expect(found(app, "p01_1.jpg")).toHaveCount(0);
  await searchWith(app, "p03_1.jpg");
  await searchWith(app, "p01_1.jpg");
  await expect(app.sheet.getByText("Already confirmed (3)")).toBeVisible();
  await app.sheet.getByRole("button", { name: "Search with all 4 confirmed pictures of Ann" }).click();
  await expect(app.sheet.getByText("Searched with the 4 confirmed pictures.")).toBeVisible();
  await searchWith(app, "p03_1.jpg");
  await searchWith(app, "p01_1.jpg");
  await found(app, "p06_1.jpg").focus();
  await page.keyboard.press("y");
  const question = page.getByRole("dialog", { name: "Two people with names" });
  await expect(question).toContainText("Ben has a name of their own");
  await question.getByRole("button", { name: "Leave them apart" }).click();
  await expect(found(app, "p06_1.jpg")).toHaveAccessibleName(/Unlikely/);
  await found(app, "p06_1.jpg").focus();
  await page.keyboard.press("y");
  await question.getByRole("button", { name: "They are one person" }).click();
  await expect(app.toasts.filter({ hasText: "Ben and Ann are one person." }).first()).toBeVisible();
  await app.sheet.getByRole("button", { name: "Undo" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByLabel("Name of Ben")).toHaveValue("Ben");
});

test("somebody who was found is looked at beside who is searched for, with what makes a mistake likely", async ({
  app,
  page,
}) => {
  await startWithSamples(app);
  await searchFor(app, "p01_1");
  const all = await band(app, "Unlikely");
  await app.sheet.locator(".hit-open").first().focus();
  await page.keyboard.press("Enter");
  const pair = app.sheet.getByRole("region", { name: "Side by side" });
  await expect(pair).toBeFocused();
  await expect(pair).toContainText(`Found: ${all[0]}.jpg`);
  await expect(pair).toContainText(/under 1 % likely to be the same person/);
  await expect(pair).toContainText(/very small \(\d+ × 7\d pixels\)/);
  await expect(pair.getByRole("img")).toHaveCount(5);
  await page.keyboard.press("ArrowRight");
  await expect(pair).toContainText(`Found: ${all[1]}.jpg`);
  await pair.getByRole("button", { name: "Somebody else" }).click();
  await expect(pair.getByRole("button", { name: "Somebody else" })).toHaveAttribute("aria-pressed", "true");
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(found(app, `${all[1]}.jpg`)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(app.sheet).toHaveCount(0);
});

test("how sure likeness is: questions, two histograms, and the errors in plain words", async ({ app, page }) => {
  await startWithSamples(app);
  await searchFor(app, "p01_1");
  await app.sheet.getByRole("button", { name: "How sure is this?" }).click();
  await app.sheet.getByRole("button", { name: "Ask me" }).click();
  const card = app.sheet.getByRole("region", { name: "Is this the same person?" });
  await expect(card.getByRole("heading")).toHaveText("Is this the same person?");
  await expect(card).toContainText("Question 1 of 10");
  await expect(card).toBeFocused();
  await page.keyboard.press("u");
  await expect(card).toContainText("Question 2 of 10");
  await app.sheet.getByRole("button", { name: "Undo" }).click();
  await expect(card).toContainText("Question 1 of 10");
  await page.keyboard.press("Escape");
  await confirm(app, 6);
  await searchFor(app, "p01_1");
  await app.sheet.getByRole("button", { name: "How sure is this?" }).click();
  await app.sheet.getByRole("button", { name: "Show the result now" }).click();
  // Of 20 pictures of 4, 4 and four times 3: all pairs.
  await expect(app.sheet.getByText("24 pairs of one person")).toBeVisible();
  await expect(app.sheet.getByText("166 pairs of two people")).toBeVisible();
  await expect(app.sheet.getByText("From the pictures that you confirmed.")).toBeVisible();
  await expect(app.sheet.getByText(/^A cut-off at 0\.\d\d tells them apart best/)).toBeVisible();
  await expect(
    app.sheet.getByText(/^Of 100 pairs that it calls likely, (about \d|fewer than 1) are two people\.$/),
  ).toBeVisible();
  const chart = app.sheet.getByRole("img", {
    name: /^How alike pairs of pictures are\. Half of the pairs of one person lie/,
  });
  await expect(chart).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});
