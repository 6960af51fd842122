import { readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { filePayload, sampleFolder, tinyCheckpoint, tinyOpenVino } from "./support/files.ts";
import { person } from "./support/png.ts";
import { band, confirm, name, searchFor, startWithSamples } from "./support/sorting.ts";

const broken = { name: "broken.pth", mimeType: "application/octet-stream", buffer: Buffer.from("no model at all") };
const painted = Array.from({ length: 12 }, (_, i) =>
  person(`${i}.png`, { top: [20 * i, 40, 180], legs: [30, 20 * i, 60] }, i),
);

async function open(app: App): Promise<void> {
  await app.chip.click();
  await expect(app.sheet).toBeVisible();
}

async function choose(app: App, file: Parameters<App["add"]>[0]): Promise<void> {
  await app.page.getByLabel("Choose a model file").setInputFiles(file);
}

test("the sheet says what looks at the photos and where, in plain words, and the rest to who asks", async ({
  app,
  page,
}) => {
  await app.start();
  await open(app);
  await expect(app.sheet).toContainText("Built-in model");
  await expect(page.getByLabel("Runs on")).toHaveValue("auto");
  await expect(app.sheet.getByText(/^CPU: this browser has/).first()).toBeVisible();
  await app.sheet.getByText("Details").click();
  for (const [term, value] of [
    ["A picture becomes", /^\d+ numbers$/],
    ["Pictures are resized to", /^128 × 256 pixels \(bilinear, stretched\)$/],
    ["Computed on", "CPU, 32-bit"],
    ["Licence", "The file does not say: ask whoever made it what you may do with it."],
    ["Fingerprint", /^[0-9a-f]{16,}$/],
  ] as const) {
    const line = app.sheet.locator("dl > div").filter({ has: page.getByText(term, { exact: true }) });
    await expect(line.locator("dd")).toHaveText(value);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test("the licence of the model that comes along is told in words", async ({ app, page }) => {
  await page.unroute(BUILT_IN_MODEL);
  await app.start();
  await open(app);
  await app.sheet.getByText("Details").click();
  const line = app.sheet.locator("dl > div").filter({ has: page.getByText("Licence", { exact: true }) });
  await expect(line.locator("dd")).toHaveText(
    "For research and teaching only, not for products (LicenseRef-webreid-small)",
  );
});

test("what is no model is refused where one looks, and the model before goes on", async ({ app, page }) => {
  await app.start();
  await open(app);
  await choose(app, broken);
  const alert = app.sheet.getByRole("alert");
  await expect(alert).toContainText("The model loaded before is still in use.");
  await expect(app.chip).toHaveClass(/wrong/);
  await expect(app.chip).toContainText("Another model could not be loaded.");
  // An OpenVINO model is two files.
  await choose(app, tinyOpenVino[0] ?? "");
  await expect(alert).toContainText(".bin");
  await choose(app, tinyOpenVino);
  await expect(alert).toHaveCount(0);
  await expect(app.chip).toHaveText(/^small-reid\.xml · CPU/);
  await app.sheet.getByRole("button", { name: "Back to the built-in model" }).click();
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await page.keyboard.press("Escape");
  await expect(app.chip).toBeFocused();
});

test("a bad model does not disturb the reading of photos", async ({ app, page }) => {
  await app.start();
  await app.add(painted);
  await expect(page.getByText(/^Reading photos/)).toBeVisible();
  await open(app);
  await choose(app, broken);
  await expect(app.sheet.getByRole("alert")).toBeVisible();
  await expect(app.status).toHaveText(/^Done: 12 photos read\. 12 pictures of people/);
  await expect(app.problems).toHaveCount(0);
});

test("another model looks at the people again by itself: names and answers stay", async ({ app, page }) => {
  await startWithSamples(app);
  await confirm(app, 2);
  await name(app, 0, "Ann");
  await searchFor(app, "p01_1");
  const before = await band(app, "Unlikely");
  await page.keyboard.press("Escape");
  await app.loadModel(tinyCheckpoint);
  await expect(app.chip).toHaveText(/^tiny_osnet\.safetensors · CPU/);
  await expect(page.getByText(/^Looking at the people again/)).toHaveCount(0);
  await expect(page.getByText("These people were read with another model.")).toHaveCount(0);
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  await searchFor(app, "p01_1");
  await expect(app.sheet.getByRole("heading", { name: "Where else is Ann?" })).toBeVisible();
  await expect(app.sheet.getByText("Searched with the 4 confirmed pictures.")).toBeVisible();
  const hits = app.sheet.locator(".hit-open");
  // All but Ann's and those that were confirmed for somebody else, of whom there are three or four.
  expect([12, 13]).toContain(before.length);
  await expect(hits).toHaveCount(before.length);
});

test("a model that comes in the middle of a reading reads all with itself", async ({ app, page }) => {
  await app.start();
  await app.add(painted);
  await expect(page.getByText(/^Reading photos/)).toBeVisible();
  await open(app);
  await choose(app, { ...filePayload(tinyCheckpoint), name: "other.safetensors" });
  await expect(app.chip).toHaveText(/^other\.safetensors · CPU/);
  // What had been read is read again, and the rest goes on.
  await expect(app.status).toHaveText(/^Done: /);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: /12 pictures/ })).toBeVisible();
  await expect(app.problems).toHaveCount(0);
});

test("the menu and the text never disagree about where it runs", async ({ app, page }) => {
  await app.start();
  await open(app);
  const menu = page.getByLabel("Runs on");
  const reason = app.sheet.locator("#device-reason");
  await menu.selectOption("cpu");
  await expect(reason).toHaveText("CPU: you chose it.");
  await menu.selectOption("gpu");
  await expect(app.sheet.getByRole("alert")).toContainText(/No GPU to compute on.*still in use/);
  await expect(menu).toHaveValue("cpu");
  await expect(reason).toHaveText("CPU: you chose it.");
  await menu.selectOption("auto");
  await expect(app.sheet.getByRole("alert")).toHaveCount(0);
  await expect(reason).toHaveText(/^CPU: this browser has/);
  await expect(menu).toHaveValue("auto");
});

test("a GPU that is asked for in the address and is not there: it is said, and another choice helps", async ({
  app,
  page,
}) => {
  await app.open("?device=gpu");
  await expect(app.chip).toHaveText("No model");
  await open(app);
  await expect(page.getByLabel("Runs on")).toHaveValue("gpu");
  await expect(app.sheet.getByRole("alert")).toContainText("No GPU to compute on");
  await page.getByLabel("Runs on").selectOption("auto");
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
});

test("loading can be cancelled, and the photos wait for a model", async ({ app, page }) => {
  const held: (() => void)[] = [];
  await page.route(BUILT_IN_MODEL, async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.abort().catch(() => {});
  });
  await app.open();
  await open(app);
  await app.sheet.getByRole("button", { name: "Cancel" }).click();
  await expect(app.sheet.getByRole("alert")).toHaveText("Loading was cancelled: there is no model yet.");
  await expect(app.chip).toHaveText("No model");
  await page.keyboard.press("Escape");
  await app.add(filePayload(`${sampleFolder}/p01_1.jpg`, "image/jpeg"));
  await app.loadModel(tinyCheckpoint);
  await expect(app.status).toHaveText(/^Done: 1 photo read/);
  for (const go of held) go();
});

test.describe("an address that the user types", () => {
  const address = "https://models.example/tiny_osnet.safetensors";
  test.use({ allowed: [address] });

  test("is downloaded and used, and refused when it is not https", async ({ app, page }) => {
    const headers = { "access-control-allow-origin": "*", "content-type": "application/octet-stream" };
    await page.route(address, (route) => route.fulfill({ body: readFileSync(tinyCheckpoint), headers }));
    await app.start();
    await open(app);
    const field = app.sheet.getByLabel("Address of a model");
    await field.fill("http://models.example/a.pth");
    await field.press("Enter");
    await expect(app.sheet.getByRole("alert")).toHaveText("Type the model’s full address: it starts with https://");
    await field.fill(address);
    await app.sheet.getByRole("button", { name: "Load", exact: true }).click();
    await expect(app.chip).toHaveText(/^tiny_osnet\.safetensors · CPU/);
    await expect(app.sheet.getByRole("alert")).toHaveCount(0);
  });
});
