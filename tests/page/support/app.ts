import { basename } from "node:path";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { type FilePayload, redDetector, tinyCheckpoint } from "./files.ts";

type Files = string | string[] | FilePayload | FilePayload[];

/** The page as its user sees it. */
export class App {
  readonly page: Page;
  readonly status: Locator;
  /** Which model looks at the photos, where and how fast; opens the sheet behind it. */
  readonly chip: Locator;
  readonly sheet: Locator;
  readonly toasts: Locator;
  readonly problems: Locator;
  readonly people: Locator;
  readonly photos: Locator;
  readonly undo: Locator;
  readonly redo: Locator;
  readonly cancel: Locator;

  constructor(page: Page) {
    this.page = page;
    this.status = page.getByRole("status");
    this.chip = page.locator(".chip");
    this.sheet = page.locator("dialog.sheet[open]");
    this.toasts = page.locator(".toast");
    this.problems = page.getByRole("list", { name: /could not be used/ }).getByRole("listitem");
    this.people = page.getByRole("list", { name: "People" }).locator(".person");
    this.photos = page.getByRole("list", { name: "Photos" }).locator(".source");
    this.undo = page.getByRole("button", { name: "Undo", exact: true }).first();
    this.cancel = page.getByRole("button", { name: "Cancel", exact: true });
    this.redo = page.getByRole("button", { name: "Redo", exact: true }).first();
  }

  /** Opens the page, which loads the built-in model by itself. */
  async open(query = ""): Promise<void> {
    await this.page.goto(`./${query}`);
  }

  /** Opens the page and waits until the built-in model is there. */
  async start(query = ""): Promise<void> {
    await this.open(query);
    await expect(this.chip).toHaveText(/^Built-in model · (CPU|GPU)/);
  }

  /** Chooses photos, or whatever else, from the first screen or the bar. */
  async add(files: Files): Promise<void> {
    await this.page.getByLabel(/^(Choose|Add) photos$/).setInputFiles(files);
  }

  /** Adds photos and waits until all were read. */
  async read(files: Files): Promise<void> {
    await this.page.evaluate(() => {
      // The text that the page goes on with.
      const text = document.querySelector("[role=status]")?.firstChild;
      if (text instanceof Text) text.data = "";
    });
    await this.add(files);
    await expect(this.status).toHaveText(/^Done/);
  }

  /** Drops files on the page, as if they lay in these folders. */
  async drop(files: readonly FilePayload[]): Promise<void> {
    const given = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: buffer.toString("base64") }));
    await this.page.evaluate((given) => {
      const data = new DataTransfer();
      for (const { name, mimeType, bytes } of given) {
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: mimeType }));
      }
      dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }, given);
  }

  async show(place: "People" | "Photos"): Promise<void> {
    await this.page.getByRole("navigation", { name: "Places" }).getByRole("button", { name: place }).click();
  }

  /** Loads another model. */
  async loadModel(file: Files): Promise<void> {
    const [first] = [file].flat();
    const name = typeof first === "string" ? basename(first) : (first?.name ?? "");
    await this.chip.click();
    await this.page.getByLabel("Choose a model file").setInputFiles(file);
    const loaded = this.chip.filter({ hasText: name });
    await expect(loaded.or(this.sheet.getByRole("alert")).first()).toBeVisible();
    await this.page.keyboard.press("Escape");
  }
}

/** The files of the built-in networks, as the bundler names them. */
export const BUILT_IN_MODEL = "**/webreid-small*.safetensors";
export const BUILT_IN_DETECTOR = "**/nanodet-g*.safetensors";

/**
 * Every test drives the page under guard, and fails at its end if anything was asked for outside the page's origin
 * (apart from `allowed`, where a failure does not count either), if the content security policy had to step in, or if a
 * script failed (but for `errors` that are asked for). A small model stands in for the built-in one, and a detector that
 * takes red squares for people for that which finds them.
 */
export const test = base.extend<{ app: App; allowed: string[]; errors: RegExp | undefined }>({
  allowed: [[], { option: true }],
  errors: [undefined, { option: true }],
  app: async ({ page, baseURL, allowed, errors }, use) => {
    const outside: string[] = [];
    const failures: string[] = [];
    page.context().on("request", (request) => {
      const url = request.url();
      const local = url.startsWith(baseURL ?? "") || url.startsWith("blob:");
      if (!local && !allowed.includes(url)) outside.push(url);
    });
    page.on("websocket", (socket) => outside.push(socket.url()));
    page.on("pageerror", (error) => failures.push(String(error)));
    page.on("console", (message) => {
      const isMeant = allowed.includes(message.location().url) || errors?.test(message.text());
      if (message.type() === "error" && !isMeant) failures.push(message.text());
    });
    await page.route(BUILT_IN_MODEL, (route) => route.fulfill({ path: tinyCheckpoint }));
    await page.route(BUILT_IN_DETECTOR, (route) => route.fulfill({ path: redDetector }));
    await page.exposeFunction("reportViolation", (text: string) => failures.push(text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const { reportViolation } = window as unknown as { reportViolation(text: string): void };
        reportViolation(`Content security policy: ${event.violatedDirective} forbids ${event.blockedURI}`);
      });
    });
    await use(new App(page));
    expect(outside, "requests that left the page's origin").toEqual([]);
    expect(failures, "violations of the policy, and errors of scripts").toEqual([]);
  },
});

export { expect };
