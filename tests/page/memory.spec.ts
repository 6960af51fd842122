// What pictures of 48 megapixels, as phones take them, cost at the most and afterwards.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "@playwright/test";
import { plainGif } from "./support/gif.ts";
import { boards } from "./support/jpeg.ts";
import { expect, test } from "./support/package.ts";
import { blank, person } from "./support/png.ts";

const [WIDTH, HEIGHT] = [8000, 6000];
const WASM_LIMIT = 450e6;
const RENDERER_LIMIT = 1e9;
/** Of WebAssembly, of a small network that has looked at small pictures. */
const SMALL = 50e6;

const small = person("small.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 3).buffer;

test.beforeEach(async ({ page }) => {
  await page.route("**/small.png", (route) => route.fulfill({ body: small }));
});

interface Seen {
  /** The most WebAssembly memory, of what was asked on the way, and what is left of it. */
  readonly most: number;
  readonly left: number;
  /** How often it was asked for. */
  readonly samples: number;
  readonly features: number;
  /** Of a small picture afterwards, with itself before. */
  readonly similarity: number;
}

type Make = "files" | "canvases";

/** Extracts `count` pictures in one call, of the file or of a canvas of that size. */
async function extract(page: Page, make: Make, count: number): Promise<Seen> {
  const request = { make, count, width: WIDTH, height: HEIGHT };
  return page.evaluate(async ({ make, count, width, height }) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const [before] = await reid.extract(["./small.png"]);
    const picture = async () => {
      if (make === "files") return (await fetch("./large")).blob();
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context?.fillRect(0, 0, width / 2, height);
      return canvas;
    };
    const one = await picture();
    let asking = true;
    let [most, samples] = [0, 0];
    const asked = (async () => {
      while (asking) {
        most = Math.max(most, await reid.memory());
        samples++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const features = await reid.extract(Array.from({ length: count }, () => one));
    asking = false;
    await asked;
    const [after] = await reid.extract(["./small.png"]);
    const left = await reid.memory();
    const similarity = before && after ? reid.similarity(before, after) : 0;
    return { most, left, samples, features: features.length, similarity };
  }, request);
}

/** Resident memory of the page's process, in bytes: the most there was (`VmHWM`), or there is (`VmRSS`). */
async function rendererMemory(browser: Browser, what: "VmHWM" | "VmRSS"): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const sizes = processInfo.flatMap(({ type, id }) => {
    if (type !== "renderer") return [];
    const line = readFileSync(`/proc/${id}/status`, "utf8").match(new RegExp(`${what}:\\s+(\\d+) kB`));
    return [Number(line?.[1]) * 1024];
  });
  return Math.max(...sizes);
}

async function check(browser: Browser, page: Page, make: Make, count: number): Promise<Seen> {
  const seen = await extract(page, make, count);
  const peak = await rendererMemory(browser, "VmHWM");
  const left = await rendererMemory(browser, "VmRSS");
  const megabytes = [seen.most, seen.left, peak, left].map((bytes) => Math.round(bytes / 1e6));
  process.stderr.write(
    `${count} ${make}: WebAssembly ${megabytes[0]} MB at the most, ${megabytes[1]} left; ` +
      `renderer ${megabytes[2]} and ${megabytes[3]} MB; asked ${seen.samples} times\n`,
  );
  expect(seen.features).toBe(count);
  expect(seen.similarity).toBeCloseTo(1, 5);
  expect(seen.most).toBeLessThan(WASM_LIMIT);
  expect(seen.left).toBeLessThan(SMALL);
  expect(peak).toBeLessThan(RENDERER_LIMIT);
  return seen;
}

test("eight JPEGs of 48 megapixels", async ({ browser, page }) => {
  const body = boards(WIDTH, HEIGHT);
  await page.route("**/large", (route) => route.fulfill({ body }));
  const seen = await check(browser, page, "files", 8);
  // The figure is of the decoder's memory: a picture needs three bytes a pixel at the least.
  expect(seen.most).toBeGreaterThan(3 * WIDTH * HEIGHT);
});

test("a PNG, GIFs and canvases of 48 megapixels", async ({ browser, page }) => {
  const bodies = [blank("large.png", WIDTH, HEIGHT).buffer, plainGif(WIDTH, HEIGHT)];
  await page.route("**/large", (route) => route.fulfill({ body: bodies.shift() as Buffer }));
  await check(browser, page, "files", 1);
  await check(browser, page, "files", 2);
  await check(browser, page, "canvases", 3);
});

test("a fine-tune from photos of 48 megapixels", async ({ browser, page }) => {
  const body = boards(WIDTH, HEIGHT);
  await page.route("**/large", (route) => route.fulfill({ body }));
  const memory = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const image = await (await fetch("./large")).blob();
    const samples = ["ann", "ann", "ben", "ben"].map((person) => ({ image, person }));
    for await (const _ of reid.fineTune(samples, { steps: 2 }));
    return reid.memory();
  });
  expect(memory).toBeLessThan(WASM_LIMIT);
  expect(await rendererMemory(browser, "VmHWM")).toBeLessThan(RENDERER_LIMIT);
});

test("people in two JPEGs of 48 megapixels", async ({ browser, page }) => {
  const body = boards(WIDTH, HEIGHT);
  await page.route("**/large", (route) => route.fulfill({ body }));
  const before = await page.evaluateHandle(async () => {
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
    await detector.detect("./small.png");
    return { detector, photo: await (await fetch("./large")).blob() };
  });
  const idle = await rendererMemory(browser, "VmRSS");
  const { found, memory } = await before.evaluate(async ({ detector, photo }) => {
    const found = await detector.detect([photo, photo]);
    const memory = await detector.memory();
    await detector.dispose();
    return { found: found.length, memory };
  });
  const peak = (await rendererMemory(browser, "VmHWM")) - idle;
  // A worker that has ended gives its memory back a while after.
  const left = async () => (await rendererMemory(browser, "VmRSS")) - idle;
  await expect.poll(left, { timeout: 30_000 }).toBeLessThan(60e6);
  process.stderr.write(
    `people: ${Math.round(peak / 1e6)} MB more at the most, ${Math.round((await left()) / 1e6)} left\n`,
  );
  expect(found).toBe(2);
  expect(memory).toBeLessThan(SMALL);
  // Decoded once, three bytes a pixel.
  expect(peak).toBeGreaterThan(3 * WIDTH * HEIGHT);
  expect(peak).toBeLessThan(400e6);
});

test("an engine that rests gives its memory back, and goes on as before", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors", with: reid });
    const pixels = new ImageData(4000, 3000);
    pixels.data.fill(200);
    const canvas = new OffscreenCanvas(4000, 3000);
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    const photo = await canvas.convertToBlob({ type: "image/jpeg" });
    const [before] = await reid.extract(["./small.png"]);
    const people = await detector.detect("./small.png");
    await detector.detect(photo);
    const most = await reid.memory();
    const busy = reid.extract([photo]);
    // Until the photo is being decoded, which takes longer than that.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const whileBusy = reid.rest();
    await busy;
    const rested = reid.rest();
    const [after] = await reid.extract(["./small.png"]);
    const found = await detector.detect("./small.png");
    const least = await reid.memory();
    return {
      most,
      least,
      whileBusy,
      rested,
      found: [people.length, found.length],
      same: before && after ? reid.similarity(before, after) : 0,
    };
  });
  expect(seen.whileBusy).toBe(false);
  expect(seen.rested).toBe(true);
  expect(seen.same).toBeCloseTo(1, 6);
  expect(seen.found[0]).toBeGreaterThan(0);
  expect(seen.found[1]).toBe(seen.found[0]);
  expect(seen.least).toBeLessThan(seen.most - 20e6);
});

test("pixels that go to a worker leave no copy behind, and those that were given stay", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
    const sent: ArrayBufferLike[] = [];
    const { postMessage } = Worker.prototype;
    type Message = { image?: Partial<ImageData>; images?: Partial<ImageData>[] };
    Worker.prototype.postMessage = function (this: Worker, ...given: [Message]) {
      const [{ image, images = [] }] = given;
      for (const one of [image, ...images]) if (one?.data) sent.push(one.data.buffer);
      (postMessage as (...given: unknown[]) => void).apply(this, given);
    } as typeof postMessage;
    const pixels = new ImageData(64, 128);
    const features = await reid.extract([pixels, pixels]);
    const left = sent.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { features: features.length, sent: sent.length, left, given: pixels.data.length };
  });
  // To be brought to the network's size, and to be looked at.
  expect(seen).toEqual({ features: 2, sent: 4, left: 0, given: 4 * 64 * 128 });
});
