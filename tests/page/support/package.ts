import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { test as base, type Page } from "@playwright/test";
import type * as Webreid from "../../../npm/dist/index.js";
import { packageFolder, redDetector, sampleFolder, tinyCheckpoint, tinyOpenVino, tinyTensorFlow } from "./files.ts";

const ORIGIN = "https://package.test";
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

declare global {
  /** What tests evaluate in the page finds the package here. */
  var webreid: typeof Webreid;
}

/** What a module's glue has, and how it fails. */
const FAULTY_MODULE = `
export default async function init() { return { memory: new WebAssembly.Memory({ initial: 1 }) }; }
const count = async (what) => Number(await (await fetch("${ORIGIN}/count/" + what)).text());
async function fail() {
  if (await count("throws") > 0) throw { code: "device-lost", message: "the GPU is gone" };
  setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); });
  await new Promise(() => {});
}
`;

/**
 * An engine without a network: an image's first byte is what happens to it. 0 is a bad image, 255 is fatal while there
 * are `faults` left, as is learning from it at the second step; 254 is large; anything else becomes a feature that points
 * its own way. Where there is a second byte of 255, decoding it is fatal.
 * The model is one byte, which learning makes one more.
 */
const FAULTY_ENGINE = `${FAULTY_MODULE}
export const pictureSize = (head) => head[0] === 254 ? [8000, 6000] : undefined;
export function fit(data) {
  if (data[1] === 255) throw new WebAssembly.RuntimeError("unreachable");
  if (data[0] === 0) throw { code: "bad-image", message: "the first byte is 0" };
  return { data: data.slice(), width: 1, height: 1, quality: 1 };
}
export class Engine {
  static async create(weights) {
    await count("created");
    if (await count("refusals") > 0) throw { code: "no-device", message: "the GPU is busy" };
    return Object.assign(new Engine(), { model: weights[0], before: undefined });
  }
  get fingerprint() { return "model " + this.model; }
  describe() {
    const { fingerprint } = this;
    const device = { device: "cpu", adapter: "CPU", software: false, deviceReason: "CPU: you chose it." };
    return { architecture: "none", summary: "no network", featureDim: 2, ...device, fingerprint };
  }
  gpuCounters() { return undefined; }
  async extract(images) {
    // The noise that it warms up with.
    if (images[0].width > 1) return [];
    await count("batches");
    const { fingerprint } = this;
    const fatal = images.some(({ data }) => data[0] === 255);
    if (fatal && await count("faults") > 0) await fail();
    const features = images.map(({ data }) => new Float32Array([Math.cos(data[0]), Math.sin(data[0])]));
    return { features, fingerprint };
  }
  exportWeights() { return new Uint8Array([this.model]); }
  async replace(weights) { [this.before, this.model] = [this.model, weights[0]]; }
  free() {}
  undo() {
    if (this.before === undefined) return false;
    this.model = this.before;
    this.before = undefined;
    return true;
  }
}`;

/** A model is a byte in every format. */
const FAULTY_FORMATS = `${FAULTY_MODULE}
export const convert = (weights) => ({ weights: weights.slice(), about: {} });`;

/** What learns from such images. */
const FAULTY_TRAINER = `${FAULTY_MODULE}
export class Tuner {
  done = 0;
  static async create(weights, device, images, people, cameras, options) {
    return Object.assign(new Tuner(), { model: weights[0], images, options });
  }
  async step() {
    if (this.done === this.options.steps) return undefined;
    if (++this.done === 2 && this.images.some((image) => image.data[0] === 255) && await count("faults") > 0) await fail();
    return { step: this.done, steps: this.options.steps, loss: 1 / this.done, accuracy: 0.5, images: 4 };
  }
  async exportWeights() { return new Uint8Array([this.model + 1]); }
}`;

export interface FaultyEngine {
  /** How many workers have made a model. */
  created: number;
  batches: number;
  /** How many more times a fatal image is fatal. */
  faults: number;
  /** How many of those reject as a lost device does; the others crash as a panic does. */
  throws: number;
  /** How many more models are not made. */
  refusals: number;
}

/** The package's page, from its start. */
export async function openPackage(page: Page): Promise<void> {
  await page.goto(ORIGIN);
  await page.addScriptTag({
    type: "module",
    content: `import * as webreid from "${ORIGIN}/dist/index.js"; globalThis.webreid = webreid;`,
  });
  await page.waitForFunction(() => "webreid" in globalThis);
}

/**
 * The package as it is published, in a page without a bundler: a page that has loaded `npm/dist` and nothing else.
 * With `faulty`, its engine is replaced by one that fails when it is told to.
 */
export const test = base.extend<{ faulty: FaultyEngine; package: undefined }>({
  package: [
    async ({ context, page }, use) => {
      await context.route(`${ORIGIN}/**`, (route) => {
        const { pathname } = new URL(route.request().url());
        if (pathname === "/")
          return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>t</title>" });
        if (pathname === "/tiny_osnet.safetensors") return route.fulfill({ body: readFileSync(tinyCheckpoint) });
        if (pathname === "/red_detector.safetensors") return route.fulfill({ body: readFileSync(redDetector) });
        const model = [...tinyOpenVino, ...tinyTensorFlow].find((path) => `/${basename(path)}` === pathname);
        if (model) return route.fulfill({ body: readFileSync(model) });
        const sample = pathname.startsWith("/samples/") && join(sampleFolder, pathname.slice("/samples/".length));
        if (sample && existsSync(sample)) return route.fulfill({ body: readFileSync(sample) });
        if (!pathname.startsWith("/dist/")) return route.fulfill({ status: 404, body: "not here" });
        return route.fulfill({
          contentType: TYPES[extname(pathname)] ?? "application/octet-stream",
          body: readFileSync(join(packageFolder, pathname.slice("/dist/".length))),
        });
      });
      // As many workers share the images on every machine.
      await page.addInitScript(() => Object.defineProperty(navigator, "hardwareConcurrency", { value: 2 }));
      await openPackage(page);
      await use(undefined);
    },
    { auto: true },
  ],
  faulty: async ({ context, package: _ }, use) => {
    const state: FaultyEngine = { created: 0, batches: 0, faults: 0, throws: 0, refusals: 0 };
    await context.route(`${ORIGIN}/dist/wasm/{webreid,webreid_relaxed}.js`, (route) =>
      route.fulfill({ contentType: "text/javascript", body: FAULTY_ENGINE }),
    );
    await context.route(`${ORIGIN}/dist/wasm/webreid_formats.js`, (route) =>
      route.fulfill({ contentType: "text/javascript", body: FAULTY_FORMATS }),
    );
    await context.route(`${ORIGIN}/dist/wasm/webreid_train.js`, (route) =>
      route.fulfill({ contentType: "text/javascript", body: FAULTY_TRAINER }),
    );
    await context.route(`${ORIGIN}/count/*`, (route) => {
      const what = new URL(route.request().url()).pathname.split("/").at(-1) as keyof FaultyEngine;
      const left = what !== "created" && what !== "batches";
      const value = left ? state[what]-- : ++state[what];
      return route.fulfill({ body: String(value) });
    });
    await use(state);
  },
});

export { expect } from "@playwright/test";
