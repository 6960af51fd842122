import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { type FilePayload, tinyCheckpoint } from "./support/files.ts";
import { person } from "./support/png.ts";

const broken = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("text") };
const noPhoto = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text") };

function people(count: number): FilePayload[] {
  return Array.from({ length: count }, (_, i) => person(`p${i}.png`, { top: [40, 40, 190], legs: [30, 30, 60] }, i));
}

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`));
}

/** The sample photos, in groups. */
async function begin(app: App, page: Page): Promise<void> {
  await page.unroute(BUILT_IN_MODEL);
  await app.start();
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(app.status).toHaveText(/^Done/);
  await expect(app.people.first()).toBeVisible();
}

/** Each screen that a user comes to, one after the other. */
async function everyScreen(app: App, page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await app.open();
  await look("first screen");
  await begin(app, page);
  await app.add(broken);
  await expect(app.problems).toHaveCount(1);
  await look("people, with a file that is no photo");
  await page.getByRole("button", { name: "Dismiss" }).first().click();
  for (const [button, name] of [
    ["Teach it", "learning"],
    ["Keep and save", "keeping"],
  ] as const) {
    await page.getByRole("button", { name: button, exact: true }).click();
    await expect(app.sheet).toBeVisible();
    await look(name);
    await page.keyboard.press("Escape");
    await expect(app.sheet).toBeHidden();
  }
  await app.chip.click();
  await look("model");
  await page.keyboard.press("Escape");
  await app.show("Photos");
  await look("photos");
  await app.photos.first().click();
  await expect(app.sheet).toBeVisible();
  await look("a photo");
  await page.keyboard.press("Escape");
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    test.use({ colorScheme });

    test("axe finds nothing on any screen", async ({ app, page }) => {
      await everyScreen(app, page, async (name) => expect(await violations(page), name).toEqual([]));
    });
  });
}

/** Has what is sent to workers held back: small pictures, and what `isHeld` names. */
async function holdBack(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...given: unknown[]) {
      const { call } = given[0] as { call?: string };
      const { held = [] } = window as { held?: string[] };
      if (call !== undefined && ["thumbnail", ...held].includes(call)) return;
      postMessage.apply(this, given as [unknown]);
    };
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme} colours, in between`, () => {
    test.use({ colorScheme });

    test("axe finds nothing while things appear, photos are read, pictures come and a model loads", async ({
      app,
      page,
    }) => {
      await holdBack(page);
      const hold = (...held: string[]) => page.evaluate((held) => Object.assign(window, { held }), held);
      const devTools = await page.context().newCDPSession(page);
      await devTools.send("Animation.enable");
      await devTools.send("Animation.setPlaybackRate", { playbackRate: 0.001 });
      /** What appears is looked at when half of the way is done. */
      const look = async (name: string) => {
        await page.evaluate(() => {
          for (const animation of document.getAnimations()) {
            animation.currentTime = Number(animation.effect?.getComputedTiming().endTime) / 2;
          }
        });
        expect(await violations(page), name).toEqual([]);
      };
      await app.start();
      await app.read(people(2));
      await expect(app.people.first()).toBeVisible();
      await look("people whose pictures are on their way");
      await app.people
        .first()
        .getByRole("button", { name: /: show/ })
        .first()
        .click();
      await expect(app.sheet).toBeVisible();
      await look("a person whose pictures are on their way");
      await page.keyboard.press("Escape");
      await app.add([...people(2), broken, noPhoto]);
      await expect(app.toasts.first()).toBeVisible();
      await look("toasts");
      await hold("extract");
      await app.add(people(12));
      await expect(page.getByText(/^Reading photos/)).toBeVisible();
      await look("people while photos are read");
      await app.show("Photos");
      await look("photos while they are read");
      await app.photos.first().click();
      await expect(app.sheet).toBeVisible();
      await look("a photo");
      await page.keyboard.press("Escape");
      await hold("create");
      await app.chip.click();
      await page.getByLabel("Choose a model file").setInputFiles(tinyCheckpoint);
      await expect(page.getByText(/^Setting up/)).toBeVisible();
      await look("a model that loads");
    });
  });
}

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("every screen scrolls in one direction only, and all that a finger hits is 44 pixels high", async ({
    app,
    page,
  }) => {
    await everyScreen(app, page, async (name) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(390);
      const small = await page.locator("button:visible, .button:visible, select:visible").evaluateAll((targets) =>
        targets.flatMap((target) => {
          const { width, height } = target.getBoundingClientRect();
          return height < 43.5 || width < 24 ? [`${target.className} ${target.textContent} ${width}×${height}`] : [];
        }),
      );
      expect(small, name).toEqual([]);
    });
  });
});

test.describe("at 200 % zoom", () => {
  // A window of 1280 pixels has room for 640 then.
  test.use({ viewport: { width: 640, height: 450 } });

  test("nothing is cut off at the side", async ({ app, page }) => {
    await everyScreen(app, page, async (name) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(640);
    });
  });
});

test("with the keyboard alone: from the first screen to a name, and no focus under the bar", async ({ app, page }) => {
  const { keyboard } = page;
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: element } = document;
      const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
      return (label ?? element?.getAttribute("aria-label") ?? element?.textContent ?? "").trim();
    });
  const tabTo = async (name: RegExp) => {
    for (let i = 0; i < 40; i++) {
      await keyboard.press("Tab");
      if (name.test(await focused())) return;
    }
    throw new Error(`Tab never comes to ${name}.`);
  };
  await page.unroute(BUILT_IN_MODEL);
  await app.start();
  await keyboard.press("Tab");
  expect(await focused()).toBe("Skip to the content");
  await tabTo(/^Try the sample photos/);
  await keyboard.press("Enter");
  await expect(app.status).toHaveText(/^Done/);
  await tabTo(/name/i);
  await keyboard.type("Ann");
  await keyboard.press("Enter");
  await expect(app.toasts.filter({ hasText: "Ann" }).first()).toBeVisible();
  await keyboard.press("Control+z");
  await expect(app.toasts.filter({ hasText: /^Undone/ })).toBeVisible();
  // Through all that there is: nothing that has the focus lies under the bar.
  for (let i = 0; i < 60; i++) {
    await keyboard.press("Tab");
    const under = await page.evaluate(() => {
      const { activeElement: element } = document;
      const bar = document.querySelector(".bar");
      if (!bar || !element?.closest("main, footer")) return false;
      return element.getBoundingClientRect().bottom <= bar.getBoundingClientRect().bottom;
    });
    expect(under, await focused()).toBe(false);
  }
});
