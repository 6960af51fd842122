// What is kept, open in two tabs: one changes it, the other looks at it, and goes on when the first is closed.
import { App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { tinyCheckpoint } from "./support/files.ts";
import { person } from "./support/png.ts";

const painted = [
  ...[1, 2].map((seed) => person(`blue-${seed}.png`, { top: [20, 20, 230], legs: [20, 20, 230] }, seed)),
  ...[3, 4].map((seed) => person(`red-${seed}.png`, { top: [230, 30, 30], legs: [230, 30, 30] }, seed)),
];
const late = person("blue-5.png", { top: [20, 20, 230], legs: [20, 20, 230] }, 5);

async function nameFirst(app: App, name: string): Promise<void> {
  const field = app.people.first().locator("input.name");
  await field.fill(name);
  await field.press("Enter");
  await expect(app.page.getByLabel(`Name of ${name}`)).toHaveValue(name);
}

test("the second tab only looks, and changes things when the first is closed, with all that was done there", async ({
  app,
  page,
  context,
}) => {
  await app.start();
  await app.read(painted);
  await page.getByRole("button", { name: "Keep and save" }).click();
  await page.getByRole("button", { name: "Keep everything here" }).click();
  await expect(app.sheet).toContainText("Everything is kept on this device");
  await page.keyboard.press("Escape");

  const second = await context.newPage();
  await second.route(BUILT_IN_MODEL, (route) => route.fulfill({ path: tinyCheckpoint }));
  const there = new App(second);
  await there.start();
  const banner = second.getByText("Another tab has these people open");
  await expect(banner).toBeVisible();
  await there.add(late);
  await expect(there.toasts.filter({ hasText: "Another tab has these people open" })).toBeVisible();

  await nameFirst(app, "Ann");
  await app.read(late);
  // Written a moment later.
  await page.waitForTimeout(500);
  await page.close();
  await expect(there.toasts.filter({ hasText: "The other tab is closed: you can go on here." })).toBeVisible();
  await expect(banner).toHaveCount(0);
  await expect(second.getByLabel("Name of Ann")).toHaveValue("Ann");
  await expect(second.getByRole("heading", { name: /5 pictures/ })).toBeVisible();
  await nameFirst(there, "Bea");
  await second.reload();
  await expect(second.getByLabel("Name of Bea")).toHaveValue("Bea");
  await there.show("Photos");
  await expect(there.photos).toHaveCount(5);
});
