import { basename } from "node:path";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { type FilePayload, tinyCheckpoint } from "./files.ts";

type Files = string | string[] | FilePayload | FilePayload[];

/** The page as its user sees it. */
export class App {
  readonly page: Page;
  readonly status: Locator;
  readonly modelError: Locator;
  readonly modelSummary: Locator;
  readonly deviceReason: Locator;
  readonly problems: Locator;
  readonly photos: Locator;
  readonly matches: Locator;
  readonly cancel: Locator;
  readonly people: Locator;
  readonly improve: Locator;
  readonly result: Locator;

  constructor(page: Page) {
    this.page = page;
    this.status = page.getByRole("status");
    this.modelError = page.locator("#model-error");
    this.modelSummary = page.locator("#model-summary");
    this.deviceReason = page.locator("#device-reason");
    this.problems = page.getByRole("list", { name: /could not be used/ }).getByRole("listitem");
    this.photos = page.getByRole("list", { name: "Your photos" }).locator(".photo");
    this.matches = page.getByRole("list", { name: /Photos most like/ }).getByRole("listitem");
    this.cancel = page.getByRole("button", { name: "Cancel", exact: true });
    this.people = page.getByRole("list", { name: "People" }).locator(".person");
    this.improve = page.getByRole("button", { name: "Improve the model" });
    this.result = page.getByRole("region", { name: "Result" });
  }

  /** Opens the page, which loads the built-in model by itself. */
  async open(query = ""): Promise<void> {
    await this.page.goto(`./${query}`);
  }

  /** Opens the page and waits until the built-in model is there. */
  async start(query = ""): Promise<void> {
    await this.open(query);
    await expect(this.modelSummary).toHaveText(/^The built-in model is ready: OSNet/);
  }

  /** Loads another model. */
  async loadModel(file: Files): Promise<void> {
    const [first] = [file].flat();
    const name = typeof first === "string" ? basename(first) : (first?.name ?? "");
    await this.page.getByLabel("Choose a model file").setInputFiles(file);
    const loaded = this.modelSummary.filter({ hasText: name });
    await expect(loaded.or(this.modelError).filter({ visible: true }).first()).toBeVisible();
  }

  async addPhotos(files: Files): Promise<void> {
    await this.page.getByLabel("Add photos").setInputFiles(files);
  }

  /** Adds photos to a page that has a model, and waits until all were looked at. */
  async compare(files: Files): Promise<void> {
    const seen = this.page.locator("li.seen");
    const before = await seen.count();
    await this.addPhotos(files);
    // The status may still say "Done" of the photos before; it does not any more once one of these was looked at.
    await expect.poll(() => seen.count()).toBeGreaterThan(before);
    await expect(this.status).toHaveText(/^Done/);
  }

  async choose(name: string): Promise<void> {
    await this.photos.and(this.page.getByTitle(name, { exact: true })).click();
    // The answer to the search before is there until the next frame.
    await expect(this.page.locator("figcaption strong")).toHaveText(name);
  }

  /** The names of the ranked photos, best first. */
  async ranking(): Promise<string[]> {
    return this.matches.locator(".name").allTextContents();
  }

  async scores(): Promise<number[]> {
    const texts = await this.matches.locator(".score").allTextContents();
    return texts.map((text) => Number(/\d+$/.exec(text)?.[0]));
  }
}

/** The built-in model's file, as the bundler names it. */
export const BUILT_IN_MODEL = "**/webreid-small*.safetensors";

/**
 * Every test drives the page under guard, and fails at its end if anything was asked for outside the page's origin
 * (apart from `allowed`), if the content security policy had to step in, or if a script failed. A small model stands in
 * for the built-in one.
 */
export const test = base.extend<{ app: App; allowed: string[] }>({
  allowed: [[], { option: true }],
  app: async ({ page, baseURL, allowed }, use) => {
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
      if (message.type() === "error") failures.push(message.text());
    });
    await page.route(BUILT_IN_MODEL, (route) => route.fulfill({ path: tinyCheckpoint }));
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
