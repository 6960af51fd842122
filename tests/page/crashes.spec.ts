// Workers that die in the middle of what they do: the page goes on, or offers to, and nothing is lost.
import type { Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import { type Clothes, person } from "./support/png.ts";
import { confirm, searchFor, startWithSamples } from "./support/sorting.ts";

// The browser tells of what was thrown.
test.use({ errors: /out of luck/ });

const BLUE: Clothes = { top: [20, 20, 230], legs: [20, 20, 230] };
const RED: Clothes = { top: [230, 30, 30], legs: [230, 30, 30] };
const painted = (count: number, clothes = BLUE, first = 0) =>
  Array.from({ length: count }, (_, i) => person(`photo-${first + i}.png`, clothes, 1 + first + i));

type Part = "worker" | "people-worker" | "picture-worker" | "trainer-worker";

/** Has every worker of that kind fail, as a program does that has no memory left. */
async function crash(page: Page, part: Part): Promise<void> {
  const workers = page.workers().filter((worker) => worker.url().includes(`/${part}-`));
  expect(workers.length, part).toBeGreaterThan(0);
  const fail = () => {
    setTimeout(() => {
      throw new Error("out of luck");
    });
  };
  await Promise.all(workers.map((worker) => worker.evaluate(fail).catch(() => {})));
}

async function nameFirst(app: App, name: string): Promise<void> {
  const field = app.people.first().locator("input.name");
  await field.fill(name);
  await field.press("Enter");
  await expect(app.page.getByLabel(`Name of ${name}`)).toHaveValue(name);
}

test("what looks at photos dies while they are read: all are read", async ({ app, page }) => {
  await app.start();
  await app.add(painted(24));
  await expect(page.getByText(/^Reading photos: [1-9]/)).toBeVisible();
  await crash(page, "worker");
  await crash(page, "picture-worker");
  await expect(app.status).toHaveText(/^Done: 24 photos read\. 24 pictures of people/);
  await expect(app.problems).toHaveCount(0);
});

test("what looks at photos dies each time: it is said, the photos wait, and one button has them read", async ({
  app,
  page,
}) => {
  await app.start();
  await app.read(painted(2));
  await nameFirst(app, "Ann");
  await page.evaluate(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...given: unknown[]) {
      const { call } = given[0] as { call?: string };
      const isDoomed = (window as { isMended?: boolean }).isMended !== true && call === "extract";
      if (isDoomed) setTimeout(() => this.dispatchEvent(new ErrorEvent("error", { message: "out of luck" })));
      else postMessage.apply(this, given as [unknown]);
    };
  });
  await app.add(painted(4, RED, 2));
  await expect(
    app.toasts.filter({ hasText: /^Reading stopped\. Something behind this page stopped, and begins anew\./ }),
  ).toBeVisible();
  await expect(app.people.first().locator("input.name")).toHaveValue("Ann");
  await page.evaluate(() => Object.assign(window, { isMended: true }));
  await page.getByRole("button", { name: "Read the other 4 photos" }).click();
  await expect(app.status).toHaveText(/^Done: 4 photos read\. 4 pictures of people/);
});

test("a picture that its worker dies of, again and again, is named; the others are read", async ({ app, page }) => {
  await page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    const workers = new WeakMap<Worker, { sent: number; answered: number }>();
    Worker.prototype.postMessage = function (this: Worker, ...given: unknown[]) {
      const { file, ask } = given[0] as { file?: Blob; ask?: string };
      let worker = workers.get(this);
      if (!worker) {
        const counted = { sent: 0, answered: 0 };
        workers.set(this, counted);
        this.addEventListener("message", () => counted.answered++);
        worker = counted;
      }
      const { sent } = worker;
      // It dies when it comes to it, however long what is before it takes.
      const die = () => {
        if ((workers.get(this)?.answered ?? 0) >= sent) {
          this.dispatchEvent(new ErrorEvent("error", { message: "out of luck" }));
        } else setTimeout(die, 20);
      };
      if (ask === "look" && file instanceof File && file.name === "photo-1.png") setTimeout(die, 20);
      else {
        worker.sent++;
        postMessage.apply(this, given as [unknown]);
      }
    };
  });
  await app.start();
  await app.read(painted(6));
  await expect(app.status).toHaveText(/^Done: 5 photos read\. .* 1 file could not be used/);
  await expect(app.problems).toHaveText(/^photo-1\.png The picture is damaged, or cut off/);
});

test("what holds the people dies: names, answers and the way back are there, and more photos come", async ({
  app,
  page,
}) => {
  await app.start();
  await app.read([...painted(3), ...painted(3, RED, 3)]);
  await nameFirst(app, "Ann");
  await crash(page, "people-worker");
  await app.read(painted(2, RED, 6));
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  await crash(page, "people-worker");
  await searchFor(app, "photo-0");
  await expect(app.sheet.locator(".hit-open").first()).toBeVisible();
  await expect(app.sheet.getByRole("alert")).toHaveCount(0);
  await crash(page, "people-worker");
  await page.keyboard.press("Escape");
  // The photos that came last, and the name.
  await app.undo.click();
  await expect(app.toasts.filter({ hasText: "Undone: photos added." })).toBeVisible();
  await expect(page.getByRole("heading", { name: /6 pictures/ })).toBeVisible();
  await app.undo.click();
  await expect(page.getByLabel("Name of Ann")).toHaveCount(0);
  await app.redo.click();
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
});

test("what is kept survives what holds it", async ({ app, page }) => {
  await app.start();
  await app.read([...painted(2), ...painted(2, RED, 2)]);
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("button", { name: "Keep everything here" }).click();
  await expect(app.sheet).toContainText("Everything is kept on this device");
  await page.keyboard.press("Escape");
  await crash(page, "people-worker");
  await nameFirst(app, "Ann");
  await crash(page, "people-worker");
  await app.read(painted(1, RED, 4));
  await expect(page.getByText("Another tab has these people open")).toHaveCount(0);
  await page.reload();
  await expect(page.getByLabel("Name of Ann")).toHaveValue("Ann");
  await expect(page.getByRole("heading", { name: /5 pictures/ })).toBeVisible();
});

test("what learns dies: it is said, the model is as it was, and one button begins again", async ({ app, page }) => {
  await startWithSamples(app);
  await confirm(app, 2);
  await page.getByRole("button", { name: "Teach it", exact: true }).click();
  const teach = app.sheet.getByRole("button", { name: /^Teach it/ });
  await teach.click();
  await expect(page.getByText(/^Learning: step \d/)).toBeVisible();
  await crash(page, "trainer-worker");
  await expect(app.sheet.getByRole("alert")).toHaveText(
    /^Learning stopped: Something behind this page stopped, .* The model is as it was\.$/,
  );
  await expect(app.chip).toHaveText(/^Built-in model · CPU/);
  await teach.click();
  await expect(app.sheet.getByRole("alert")).toHaveCount(0);
  await expect(page.getByText(/^Learning: step \d/)).toBeVisible();
  await app.sheet.getByRole("button", { name: "Cancel learning" }).click();
  await expect(app.toasts.filter({ hasText: "Cancelled. The model is as it was." })).toBeVisible();
});
