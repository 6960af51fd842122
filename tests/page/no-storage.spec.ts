// A browser that keeps nothing, or has no room left: the page works, says so, and loses nothing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import { pageFolder } from "./support/files.ts";
import { person } from "./support/png.ts";

/** As the page's own scripts have them, which share memory between workers. */
const HEADERS = { "content-type": "text/javascript", "cross-origin-embedder-policy": "require-corp" };

const painted = [
  ...[1, 2].map((seed) => person(`blue-${seed}.png`, { top: [20, 20, 230], legs: [20, 20, 230] }, seed)),
  ...[3, 4].map((seed) => person(`red-${seed}.png`, { top: [230, 30, 30], legs: [230, 30, 30] }, seed)),
];

async function keep(app: App): Promise<void> {
  await app.page.getByRole("button", { name: "Keep and save" }).click();
  await app.page.getByRole("button", { name: "Keep everything here" }).click();
}

async function nameFirst(app: App, name: string): Promise<void> {
  const field = app.people.first().locator("input.name");
  await field.fill(name);
  await field.press("Enter");
}

/** Runs `code` first in the worker that holds the people. */
async function tellWorker(page: Page, code: () => void): Promise<void> {
  const assets = join(pageFolder, "assets");
  const script = readdirSync(assets).find((name) => /^people-worker-.*\.js$/.test(name)) ?? "";
  const body = `(${code})();\n${readFileSync(join(assets, script), "utf8")}`;
  await page.route(`**/assets/${script}`, (route) => route.fulfill({ body, headers: HEADERS }));
}

test("a private window: photos are read and sorted, and asked to keep them the page says why it cannot", async ({
  app,
  page,
}) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    };
    StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("denied", "SecurityError"));
  });
  await app.start();
  await app.read(painted);
  await nameFirst(app, "Ann");
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  await keep(app);
  await expect(app.toasts.filter({ hasText: "Nothing is kept." })).toHaveText(
    "Nothing is kept. This browser keeps nothing for this page: the window is private, or its settings forbid it.",
  );
  await expect(page.getByRole("button", { name: "Keep everything here" })).toBeEnabled();
  await page.keyboard.press("Escape");
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
});

test("no room left for a name: it is said, the name holds, and so does the way back", async ({ app, page }) => {
  await tellWorker(page, () => {
    let isFull = false;
    new BroadcastChannel("storage").onmessage = ({ data }) => {
      isFull = data;
    };
    type Write = (this: unknown, ...given: unknown[]) => number;
    // Workers alone have it.
    const { prototype } = (globalThis as unknown as { FileSystemSyncAccessHandle: { prototype: { write: Write } } })
      .FileSystemSyncAccessHandle;
    const { write } = prototype;
    prototype.write = function (...given) {
      if (isFull) throw new DOMException("full", "QuotaExceededError");
      return write.apply(this, given);
    };
  });
  await app.start();
  await app.read(painted);
  await keep(app);
  await expect(app.sheet).toContainText("Everything is kept on this device");
  await page.keyboard.press("Escape");
  const fill = (isFull: boolean) =>
    page.evaluate((isFull) => new BroadcastChannel("storage").postMessage(isFull), isFull);
  await fill(true);
  await nameFirst(app, "Ann");
  await expect(app.toasts.filter({ hasText: /^The device has no room left for this page: / }).first()).toBeVisible();
  await expect(app.toasts.filter({ hasText: "could not be done" })).toHaveCount(0);
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  await app.undo.click();
  await expect(page.getByLabel("Name of Ann")).toHaveCount(0);
  await app.redo.click();
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  // What is done once there is room is kept, and all before it.
  await fill(false);
  await nameFirst(app, "Bea");
  await expect(page.getByLabel("Name of Bea")).toHaveValue("Bea");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByLabel("Name of Bea")).toHaveValue("Bea");
  await app.undo.click();
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
});
