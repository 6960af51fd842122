// How much is left to do for somebody who sorts real photos, by the page's own controls.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { sharedFiles } from "./support/files.ts";

const PEOPLE = 19;
const MOST = 30;
/** Questions in a row that bring nothing, after which a user would rather join what they see. */
const PATIENCE = 2;

/** Whom PKU-Reid says that a photo shows. */
const whoIsOn = (photo: string) => photo.slice(0, 4);

interface Row {
  readonly label: string;
  readonly photos: string[];
}

/** Who is who, as the page shows it. */
async function shown(page: Page): Promise<{ rows: Row[]; unsure: string[] }> {
  return page.evaluate(() => {
    const names = (root: ParentNode) => [...root.querySelectorAll<HTMLElement>(".pick")].map(({ title }) => title);
    const rows = [...document.querySelectorAll(".person")].map((row) => ({
      label: row.querySelector(".strip")?.getAttribute("aria-label")?.replace("Pictures of ", "") ?? "",
      photos: names(row),
    }));
    const tray = document.querySelector("#unsure");
    return { rows, unsure: tray ? names(tray) : [] };
  });
}

/** The person of most photos. */
function mostly(photos: readonly string[]): string {
  const people = photos.map(whoIsOn);
  const count = (of: string) => people.filter((person) => person === of).length;
  return people.reduce((best, person) => (count(person) > count(best) ? person : best), people[0] ?? "");
}

/** What is grouped, and the next question, are there. */
async function settled(app: App): Promise<void> {
  await expect(app.page.getByText("Sorting …")).toHaveCount(0);
  await expect(app.page.locator("[aria-busy=true]")).toHaveCount(0);
}

test("304 photos of 19 people are brought to right groups in at most 30 actions", async ({ app, page }) => {
  const [folder] = sharedFiles("data/pku-reid") ?? [];
  test.skip(folder === undefined, "needs ../shared");
  const all = readdirSync(folder as string).sort();
  const people = [...new Set(all.map(whoIsOn))];
  const from = Number(process.env.PKU_FROM ?? 0);
  const wanted = new Set(people.slice(from, from + PEOPLE));
  const files = all.filter((file) => wanted.has(whoIsOn(file)));
  expect(files).toHaveLength(16 * PEOPLE);
  await page.unroute(BUILT_IN_MODEL);
  // Everything is in sight, so that nothing has to be scrolled.
  await page.setViewportSize({ width: 2400, height: 9000 });
  await app.start();
  await app.read(files.map((file) => join(folder as string, file)));
  await settled(app);

  const actions: string[] = [];
  const row = (label: string) =>
    page.getByRole("list", { name: `Pictures of ${label}`, exact: true }).locator("xpath=..");
  let fruitless = 0;
  for (;;) {
    await settled(app);
    const { rows, unsure } = await shown(page);
    const whole = rows.map(({ photos }) => mostly(photos));
    const wrong = rows.map(({ photos }, i) => photos.filter((photo) => whoIsOn(photo) !== whole[i]));
    const isRight = rows.length === PEOPLE && unsure.length === 0 && wrong.every(({ length }) => length === 0);
    if (isRight || actions.length > 2 * MOST) break;

    const question = page.getByRole("region", { name: "Question" });
    const isAsked = fruitless < PATIENCE && (await question.getByRole("figure").count()) === 2;
    if (isAsked) {
      const sides = await question
        .getByRole("figure")
        .evaluateAll((sides) =>
          sides.map((side) =>
            [...side.querySelectorAll("[alt], [aria-label]")].map(
              (img) => img.getAttribute("alt") ?? img.getAttribute("aria-label") ?? "",
            ),
          ),
        );
      const [a, b] = sides.map(mostly);
      const before = rows.length + unsure.length;
      await page.keyboard.press(a === b ? "y" : "n");
      await settled(app);
      const after = await shown(page);
      fruitless = after.rows.length + after.unsure.length < before ? 0 : fruitless + 1;
      actions.push(`answers ${a === b ? "yes" : "no"}`);
      continue;
    }
    const i = wrong.findIndex(({ length }) => length > 0);
    if (i >= 0) {
      const from = row(rows[i]?.label ?? "");
      const theirs = (wrong[i] as string[]).filter((photo) => whoIsOn(photo) === mostly(wrong[i] as string[]));
      for (const photo of theirs) await from.getByTitle(photo).click({ modifiers: ["Control"] });
      const to = whole.indexOf(whoIsOn(theirs[0] as string));
      if (to >= 0) await from.getByTitle(theirs[0] as string).dragTo(row(rows[to]?.label ?? "").locator(".strip"));
      else await page.getByRole("button", { name: "New person" }).click();
      // One rubber band for those side by side.
      actions.push(`picks ${theirs.length}`, "moves them");
      continue;
    }
    const j = whole.findIndex((person, at) => whole.indexOf(person) < at);
    if (j >= 0) {
      const into = rows[whole.indexOf(whole[j] as string)]?.label ?? "";
      await row(rows[j]?.label ?? "")
        .locator(".check")
        .dragTo(row(into).locator(".strip"));
      actions.push("drags a row on another");
      continue;
    }
    const [alone] = unsure;
    if (alone === undefined) break;
    const to = whole.indexOf(whoIsOn(alone));
    await page
      .locator("#unsure")
      .getByTitle(alone)
      .dragTo(row(rows[to]?.label ?? "").locator(".strip"));
    actions.push("moves one that was not sure");
  }
  const { rows, unsure } = await shown(page);
  process.stdout.write(
    `${actions.length} actions: ${actions.join(", ")}; ${rows.length} groups, ${unsure.length} not sure\n`,
  );
  expect(rows.map(({ photos }) => [...new Set(photos.map(whoIsOn))].join()).sort()).toEqual([...wanted]);
  expect(rows.every(({ photos }) => photos.length === 16)).toBe(true);
  expect(actions.length).toBeLessThanOrEqual(MOST);
});
