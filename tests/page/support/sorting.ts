// Ways through the page's people that several tests take.
import { type App, BUILT_IN_MODEL, expect } from "./app.ts";

/** The sample photos, read by the model that comes along: six people, three of whom have two cameras. */
export async function startWithSamples(app: App, query = ""): Promise<void> {
  await app.page.unroute(BUILT_IN_MODEL);
  await app.start(query);
  await app.page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done: 20 photos read\. 20 pictures of people, in 6 groups/);
}

/** Says of all that is suggested that it is right, of so many people one after the other. */
export async function confirm(app: App, people: number): Promise<void> {
  const confirm = app.page.getByRole("button", { name: /^Yes, all of these are/ });
  await expect(confirm.first()).toBeVisible();
  for (let i = 0; i < people; i++) {
    const left = await confirm.count();
    await confirm.first().click();
    await expect(confirm).toHaveCount(left - 1);
  }
}

/** Gives the person of that place in the list a name. */
export async function name(app: App, place: number, name: string): Promise<void> {
  const field = app.page.getByLabel(/^Name of/).nth(place);
  // What was said before may still be drawn.
  await expect(async () => {
    await field.fill(name);
    await field.press("Enter");
    await expect(app.page.getByLabel(`Name of ${name}`)).toHaveValue(name, { timeout: 2000 });
  }).toPass();
}

/** Opens the search for the first person of the list, or for who is on that photo. */
export async function searchFor(app: App, photo = ""): Promise<void> {
  const person = app.page
    .locator(".person")
    .filter({ has: app.page.locator(`[title*="${photo}"], [alt*="${photo}"]`) });
  await person
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
