// Ways through the page's people that several tests take.
import { type App, BUILT_IN_MODEL, expect } from "./app.ts";

/** The sample photos, read by the model that comes along: six people, three of whom have two cameras. */
export async function startWithSamples(app: App, query = ""): Promise<void> {
  await app.page.unroute(BUILT_IN_MODEL);
  await app.start(query);
  await app.page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done: 20 photos read\. 20 pictures of people, in 6 groups/);
}

/** A photo of each of the sample's people, those with four photos first. Rows of as many photos come in any order. */
const OF_EACH = ["p01_1", "p06_1", "p03_1", "p04_1", "p02_1", "p05_1"] as const;

function rowOf(app: App, photo: string) {
  return app.page.locator(".person").filter({ has: app.page.locator(`[title*="${photo}"], [alt*="${photo}"]`) });
}

/** Says of all that is suggested that it is right, of so many people one after the other. */
export async function confirm(app: App, people: number): Promise<void> {
  for (const photo of OF_EACH.slice(0, people)) {
    const yes = rowOf(app, photo).getByRole("button", { name: /^Yes, all of these are/ });
    await yes.click();
    await expect(yes).toHaveCount(0);
  }
}

/** Gives one of the sample's people a name, by their number. */
export async function name(app: App, person: number, name: string): Promise<void> {
  const field = rowOf(app, OF_EACH[person] ?? "").getByLabel(/^Name of/);
  // What was said before may still be drawn.
  await expect(async () => {
    await field.fill(name);
    await field.press("Enter");
    await expect(app.page.getByLabel(`Name of ${name}`)).toHaveValue(name, { timeout: 2000 });
  }).toPass();
}

/** Opens the search for the first person of the list, or for who is on that photo. */
export async function searchFor(app: App, photo = ""): Promise<void> {
  await rowOf(app, photo)
    .getByRole("button", { name: /: show (the picture|all \d+ pictures)$/ })
    .first()
    .click();
  await app.sheet.getByRole("button", { name: "Look for more" }).click();
  await expect(app.sheet.locator(".search-found[aria-busy=false]")).toBeVisible();
}

/** Searches in turn with a picture that was found. */
export async function searchWith(app: App, photo: string): Promise<void> {
  const folded = app.sheet.locator("details.band:not([open]) > summary");
  if ((await folded.count()) > 0) await folded.click();
  await found(app, photo).click();
  await app.sheet.getByRole("button", { name: "Search with this picture" }).click();
  await expect(
    app.sheet.getByRole("region", { name: "Searched with" }).getByRole("img", { name: photo }),
  ).toBeVisible();
  await expect(app.sheet.locator(".search-found[aria-busy=false]")).toBeVisible();
}

/** A picture that was found. */
export function found(app: App, photo: string) {
  return app.sheet.getByRole("button", { name: new RegExp(`^${photo}`) });
}

/** What is in a band, in order. */
export function band(app: App, title: string): Promise<string[]> {
  const hits = app.sheet
    .locator(".band")
    .filter({ has: app.page.getByRole("heading", { name: new RegExp(`^${title}`) }) });
  return hits.locator(".hit-open").evaluateAll((all) => all.map((hit) => (hit.ariaLabel ?? "").replace(/\.jpg.*/, "")));
}

/** How alike everything is that a search for a person finds: that shows which model is at work. */
export async function likenesses(app: App, photo: string): Promise<string[]> {
  await searchFor(app, photo);
  const hits = app.sheet.locator(".hit-open");
  await expect(hits.first()).toBeAttached();
  const seen = await hits.evaluateAll((all) => all.map((hit) => `${hit.ariaLabel} ${(hit as HTMLElement).title}`));
  await app.page.keyboard.press("Escape");
  await expect(app.sheet).toHaveCount(0);
  return seen;
}
