// What is kept, and taken along.
import { readFileSync } from "node:fs";
import type { Download, Page } from "@playwright/test";
import { App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { person } from "./support/png.ts";

/** The sample photos, by the model that comes along. */
const [PHOTOS, PEOPLE] = [20, 6];

/** Reads the photos, and names the first group. */
async function begin(app: App, page: Page): Promise<void> {
  await page.unroute(BUILT_IN_MODEL);
  await app.start();
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done/);
  await expect(app.people).toHaveCount(PEOPLE);
  const name = app.people.first().locator("input.name");
  await name.fill("Ann");
  await name.press("Enter");
  await expect(name).toHaveValue("Ann");
  await expect(app.undo).toBeEnabled();
}

async function keep(app: App, page: Page): Promise<void> {
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("button", { name: "Keep everything here" }).click();
  await expect(app.sheet).toContainText("Everything is kept on this device");
  await page.keyboard.press("Escape");
}

const names = (app: App) =>
  app.people
    .locator("input.name")
    .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value).filter((name) => name !== ""));

async function saved(page: Page, button: string): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return download;
}

test("kept on the device, photos, people and names are there again, and so is undo", async ({ app, page }) => {
  await begin(app, page);
  await keep(app, page);
  await page.reload();
  await expect(app.people).toHaveCount(PEOPLE);
  await expect.poll(() => names(app)).toEqual(["Ann"]);
  await expect(app.people.first().locator("img").first()).toBeVisible();
  await app.undo.click();
  await expect.poll(() => names(app)).toEqual([]);
  await app.redo.click();
  await expect.poll(() => names(app)).toEqual(["Ann"]);
  await app.show("Photos");
  await expect(app.photos).toHaveCount(PHOTOS);
});

test("a second tab looks at what is kept, and says that it only reads", async ({ app, page, context }) => {
  await begin(app, page);
  await keep(app, page);
  const second = await context.newPage();
  await second.goto("./");
  await expect(second.getByText("Another tab has these people open")).toBeVisible();
  await expect(new App(second).people).toHaveCount(PEOPLE);
});

test("what is kept can be deleted, and is gone", async ({ app, page }) => {
  await begin(app, page);
  await keep(app, page);
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("button", { name: "Delete everything kept here" }).click();
  await page
    .getByRole("dialog", { name: /^Delete everything/ })
    .getByRole("button", { name: /^Delete/ })
    .click();
  await expect(app.toasts.filter({ hasText: "Nothing of this page is kept" })).toBeVisible();
  // What is on the page stays on it.
  await page.keyboard.press("Escape");
  await expect(app.people).toHaveCount(PEOPLE);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  const left = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const files: string[] = [];
    for await (const [name, handle] of root.entries()) {
      if (handle.kind === "file") files.push(name);
      else for await (const [inner] of handle.entries()) files.push(inner);
    }
    return files;
  });
  expect(left).toEqual([]);
});

test("reading goes on after a reload in the middle of it", async ({ app, page }) => {
  await begin(app, page);
  await keep(app, page);
  const more = Array.from({ length: 60 }, (_, k) =>
    person(`c${k}.png`, { top: [30, 150, 60], legs: [90, 60, 30] }, 100 + k),
  );
  await app.add(more);
  await expect(page.getByText(/Reading photos: [1-9]\d* of 60/)).toBeVisible();
  // The photos have been written by then.
  await page.waitForTimeout(400);
  await page.reload();
  await expect(app.status).toHaveText(/^Done/);
  await app.show("Photos");
  await expect(page.getByRole("heading", { name: "80 photos" })).toBeVisible();
});

test("a .reid file with its photos opens in another browser", async ({ app, page, browser, baseURL }) => {
  await begin(app, page);
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("checkbox", { name: /^With the photos/ }).check();
  const path = await (await saved(page, "Save a .reid file")).path();
  expect(readFileSync(path).subarray(0, 2).toString()).toBe("PK");

  const other = await browser.newPage({ baseURL: baseURL ?? "" });
  const there = new App(other);
  await there.start();
  await there.add({ name: "people.reid", mimeType: "", buffer: readFileSync(path) });
  await expect(there.toasts.filter({ hasText: /^Opened: 6 people on 20 pictures/ })).toBeVisible();
  await expect.poll(() => names(there)).toEqual(["Ann"]);
  await there.show("Photos");
  await expect(there.photos).toHaveCount(PHOTOS);
  await other.close();
});

test("how sure likeness is goes along in a .reid file", async ({ app, page, browser, baseURL }) => {
  await begin(app, page);
  await page
    .getByRole("button", { name: /: show all/ })
    .first()
    .click();
  await app.sheet.getByRole("button", { name: "Look for more" }).click();
  await app.sheet.getByRole("button", { name: "How sure is this?" }).click();
  await app.sheet.getByRole("button", { name: "Show the result now" }).click();
  await expect(app.sheet.getByText(/^A cut-off at/)).toBeVisible();
  await page.keyboard.press("Escape");
  const save = async (from: Page) => {
    await from.getByRole("button", { name: "Keep and save" }).click();
    return readFileSync(await (await saved(from, "Save a .reid file")).path());
  };
  const CUT_OFF = /\{"[^"{}]+":\{"same":0\.\d+,"different":-?0\.\d+,"cameras":"(?:centre|none)"\}\}/;
  const file = await save(page);
  const [kept] = file.toString("latin1").match(CUT_OFF) ?? [];
  expect(kept).toBeDefined();

  const other = await browser.newPage({ baseURL: baseURL ?? "" });
  const there = new App(other);
  await there.start();
  await there.add({ name: "people.reid", mimeType: "", buffer: file });
  await expect.poll(() => names(there)).toEqual(["Ann"]);
  expect((await save(other)).toString("latin1").match(CUT_OFF)?.[0]).toBe(kept);
  await other.close();
});

test("a .reid file opens in place of what is here, and undo brings that back", async ({ app, page }) => {
  await begin(app, page);
  await page.getByRole("button", { name: "Keep and save" }).click();
  const path = await (await saved(page, "Save a .reid file")).path();
  await page.keyboard.press("Escape");
  await app.people.first().locator("input.name").fill("Zoe");
  await page.keyboard.press("Enter");
  await expect.poll(() => names(app)).toEqual(["Zoe"]);
  await app.drop([{ name: "people.reid", mimeType: "", buffer: readFileSync(path) }]);
  await expect.poll(() => names(app)).toEqual(["Ann"]);
  await app.undo.click();
  await expect.poll(() => names(app)).toEqual(["Zoe"]);
});

test("what is no .reid file is said, and changes nothing", async ({ app, page }) => {
  await begin(app, page);
  await app.drop([{ name: "people.reid", mimeType: "", buffer: Buffer.from("not a zip file at all") }]);
  await expect(app.toasts.filter({ hasText: "could not be opened" })).toBeVisible();
  await expect(app.people).toHaveCount(PEOPLE);
});

test("people leave as folders, and names as a table", async ({ app, page }) => {
  await begin(app, page);
  await page.getByRole("button", { name: "Keep and save" }).click();
  const table = readFileSync(await (await saved(page, "Names as a table (CSV)")).path(), "utf8");
  const lines = table.trimEnd().split("\r\n");
  expect(lines[0]).toMatch(
    /^photo,name,hash,camera,time,x,y,width,height,quality,person,person_name,confirmed,hidden$/,
  );
  expect(lines).toHaveLength(1 + PHOTOS);
  expect(lines.filter((line) => line.includes(",Ann,"))).toHaveLength(4);
  const zip = readFileSync(await (await saved(page, "People as folders")).path()).toString("latin1");
  expect(new Set(zip.match(/Ann\/p\d\d_\d\.jpg/g))).toHaveProperty("size", 4);
});

test("no room left is said, and nothing on the page is lost", async ({ app, page }) => {
  await page.addInitScript(() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...given) {
      if ((window as { isFull?: boolean }).isFull) throw new DOMException("full", "QuotaExceededError");
      return put.apply(this, given);
    };
  });
  await begin(app, page);
  await page.evaluate(() => Object.assign(window, { isFull: true }));
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("button", { name: "Keep everything here" }).click();
  await expect(app.toasts.filter({ hasText: "Nothing is kept." })).toBeVisible();
  await page.evaluate(() => Object.assign(window, { isFull: false }));
  await page.getByRole("button", { name: "Keep everything here" }).click();
  await expect(app.sheet).toContainText("Everything is kept on this device");
  await page.keyboard.press("Escape");
  await page.evaluate(() => Object.assign(window, { isFull: true }));
  await app.add([person("d0.png", { top: [230, 200, 40], legs: [10, 10, 10] }, 7)]);
  await expect(app.toasts.filter({ hasText: "no room left" })).toBeVisible();
  await app.show("Photos");
  await expect(app.photos).toHaveCount(PHOTOS + 1);
});

test("closing the tab is asked about where something would be lost", async ({ app, page }) => {
  await app.start();
  const asks: string[] = [];
  page.on("dialog", async (dialog) => {
    asks.push(dialog.type());
    await dialog.accept();
  });
  await page.reload();
  expect(asks).toEqual([]);
  await begin(app, page);
  await page.reload();
  expect(asks).toEqual(["beforeunload"]);
});
