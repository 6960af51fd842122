// People in photos, by the npm package: with a detector that takes red squares for them, so that every box can be checked by hand.
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import type { ReidError } from "../../npm/dist/index.js";
import { redDetector } from "./support/files.ts";
import { expect, test } from "./support/package.ts";

/** `[x, y, side, red]` */
type Square = readonly [number, number, number, number];

/** Fills a cell of the network in a photo of twice its input's size: somebody 24 pixels wide and 48 high around it. */
const ONE: Square = [32, 48, 16, 255];
const BOX = { x: 28, y: 32, width: 24, height: 48 };
/** Whose score is lower. */
const OTHER: Square = [96, 48, 16, 159];

/** Has the page make photos: grey, with red squares. */
async function photos(page: Page): Promise<void> {
  await page.addScriptTag({
    content: `globalThis.photo = async (width, height, squares, type = "image/png") => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      context.fillStyle = "rgb(128, 128, 128)";
      context.fillRect(0, 0, width, height);
      for (const [x, y, side, red] of squares) {
        context.fillStyle = "rgb(" + red + ", 0, 0)";
        context.fillRect(x, y, side, side);
      }
      return type ? canvas.convertToBlob({ type }) : canvas;
    };`,
  });
}

declare global {
  function photo(width: number, height: number, squares: readonly Square[], type?: ""): Promise<Blob>;
}

test.beforeEach(async ({ page }) => photos(page));

test("people are where they are, best first, and in many photos each has their own", async ({ page }) => {
  const seen = await page.evaluate(
    async ({ one, other }) => {
      const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
      const { name, device, deviceReason } = detector.describe();
      const both = await photo(128, 128, [other, one]);
      const nobody = await photo(128, 128, []);
      const canvas = await photo(128, 128, [one], "");
      const progress: string[] = [];
      const many = await detector.detect([both, nobody, canvas, both], {
        onProgress: (step) => {
          if (step.phase === "detect") progress.push(`${step.done}/${step.total}`);
        },
      });
      const strict = await detector.detect(both, { minScore: 0.999 });
      const high = await detector.detect(both, { minHeight: 49 });
      const alone = await detector.detect(nobody);
      await detector.dispose();
      return { name, device, deviceReason, many, strict, high, alone, progress };
    },
    { one: ONE, other: OTHER },
  );
  expect(seen).toMatchObject({
    name: "red",
    device: "cpu",
    deviceReason: expect.stringMatching(/^CPU: this browser has/),
  });
  const [both, nobody, canvas, again] = seen.many;
  expect(both?.map((person) => person.box)).toEqual([BOX, { ...BOX, x: 92 }]);
  expect(both?.[0]?.score).toBeGreaterThan(0.999);
  // The square's borders are mixed with what is around them when the photo is made smaller.
  const red = (159 / 255) * (31 / 32) ** 2;
  expect(both?.[1]?.score).toBeCloseTo(1 / (1 + Math.exp(20 - 40 * red)), 2);
  expect(nobody).toEqual([]);
  expect(canvas?.map((person) => person.box)).toEqual([BOX]);
  expect(again).toEqual(both);
  expect(seen.strict).toEqual(both?.slice(0, 1));
  expect([seen.high, seen.alone]).toEqual([[], []]);
  expect(seen.progress[0]).toBe("0/4");
  expect(seen.progress.at(-1)).toBe("4/4");
});

test("who is small in a photo is found in tiles", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
    const image = await photo(512, 512, [[144, 144, 16, 255]]);
    const whole = await detector.detect(image, { tiles: "off" });
    const tiles = await detector.detect(image, { tiles: 128 });
    await detector.dispose();
    return { whole, tiles: tiles.map(({ box }) => box) };
  });
  expect(seen).toEqual({ whole: [], tiles: [{ x: 140, y: 128, width: 24, height: 48 }] });
});

test("somebody is cut out with a margin, of one photo as many as asked for", async ({ page }) => {
  const seen = await page.evaluate(async (box) => {
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
    const image = await photo(128, 128, [[32, 48, 16, 255]]);
    const crop = await detector.crop(image, box);
    const crops = await detector.crop(image, [box, { x: -10, y: -10, width: 12, height: 12 }]);
    const sizes = crops.map(({ width, height }) => [width, height]);
    const { width, height } = crop;
    // The square's corner in it: the box begins at 28, 32, less a twentieth.
    const at = (x: number, y: number) => [...crop.data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];
    const isImage = crop instanceof ImageData;
    await detector.dispose();
    return { isImage, size: [width, height], sizes, before: at(5, 19), corner: at(6, 19) };
  }, BOX);
  expect(seen).toEqual({
    isImage: true,
    size: [28, 54],
    sizes: [
      [28, 54],
      [3, 3],
    ],
    before: [128, 128, 128],
    corner: [255, 0, 0],
  });
});

test("the detector that comes along is fetched when it is first needed, with progress", async ({ page }) => {
  let fetched = 0;
  await page.route("**/dist/nanodet-g.safetensors", (route) => {
    fetched++;
    return route.fulfill({ body: readFileSync(redDetector) });
  });
  const create = (what: "reid" | "detector") =>
    page.evaluate(async (what) => {
      const downloads = new Set<string>();
      const onProgress = (progress: { phase: string; what?: string }) => {
        if (progress.phase === "download") downloads.add(String(progress.what));
      };
      const made =
        what === "reid"
          ? await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", onProgress })
          : await webreid.PersonDetector.create({ onProgress });
      await made.dispose();
      return [...downloads];
    }, what);
  await create("reid");
  expect(fetched).toBe(0);
  expect(await create("detector")).toContain("detector");
  expect(fetched).toBe(1);
});

test("workers that only extract have no detector, and look for people all the same when asked", async ({ page }) => {
  const seen = await page.evaluate(async (one) => {
    const image = await photo(128, 128, [one]);
    let [created, asked] = [0, 0];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...given: [{ call?: string }]) {
      if (given[0].call === "createDetector") created++;
      if (given[0].call === "detect") asked++;
      (postMessage as (...given: unknown[]) => void).apply(this, given);
    } as typeof postMessage;
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 3 });
    const options = { weights: "./red_detector.safetensors", with: reid, workers: 3 };
    const detector = await webreid.PersonDetector.create(options);
    const extracted = await reid.extract(Array.from({ length: 24 }, () => image));
    const toExtract = created;
    const people = await detector.detect([image, image, image]);
    return { extracted: extracted.length, toExtract, created, asked, people: people.map(({ length }) => length) };
  }, ONE);
  expect(seen).toEqual({ extracted: 24, toExtract: 1, created: 3, asked: 3, people: [1, 1, 1] });
});

test("beside a ReIdentifier it has no worker of its own, and crops go from one to the other", async ({ page }) => {
  const reid = await page.evaluateHandle(() => webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" }));
  const seen = await reid.evaluate(
    async (reid, { one, other }) => {
      const detector = await webreid.PersonDetector.create({ with: reid, weights: "./red_detector.safetensors" });
      const second = await webreid.PersonDetector.create({ with: reid, weights: "./red_detector.safetensors" }).catch(
        (error: ReidError) => error.code,
      );
      const image = await photo(128, 128, [one, other]);
      const people = await detector.detect(image);
      const crops = await detector.crop(
        image,
        people.map(({ box }) => box),
      );
      const features = await reid.extract(crops);
      await detector.dispose();
      const [feature] = await reid.extract(crops.slice(0, 1));
      const gone = await detector.detect(image).catch((error: ReidError) => error.code);
      const again = await webreid.PersonDetector.create({ with: reid, weights: "./red_detector.safetensors" });
      const found = (await again.detect(image)).length;
      const alike = feature && features[0] ? reid.similarity(feature, features[0]) : 0;
      return { second, people: people.length, features: features.length, alike, gone, found };
    },
    { one: ONE, other: OTHER },
  );
  expect(seen).toEqual({
    second: "bad-input",
    people: 2,
    features: 2,
    alike: expect.closeTo(1, 6),
    gone: "disposed",
    found: 2,
  });
  expect(page.workers().filter((worker) => worker.url().endsWith("/worker.js")).length).toBe(1);
  const code = await reid.evaluate(async (reid) => {
    const detector = await webreid.PersonDetector.create({ with: reid, weights: "./red_detector.safetensors" }).catch(
      (error: ReidError) => error.code,
    );
    await reid.dispose();
    return detector;
  });
  expect(code).toBe("bad-input");
});

test("what cannot be looked at is said", async ({ page }) => {
  const errors = await page.evaluate(async () => {
    const tell = ({ name, code, message, image }: ReidError) => ({ name, code, message, image: image?.name });
    const failed = (promise: Promise<unknown>) =>
      promise.then(() => undefined as ReturnType<typeof tell> | undefined, tell);
    const weights = "./red_detector.safetensors";
    const create = (options: object) => failed(webreid.PersonDetector.create(options));
    const detector = await webreid.PersonDetector.create({ weights });
    const image = await photo(128, 128, []);
    const abort = new AbortController();
    abort.abort();
    const results = {
      device: await create({ weights, device: "tpu" }),
      address: await create({ weights: "./missing.safetensors" }),
      model: await create({ weights: "./tiny_osnet.safetensors" }),
      bytes: await create({ weights: new ArrayBuffer(9) }),
      score: await failed(detector.detect(image, { minScore: 2 })),
      tiles: await failed(detector.detect(image, { tiles: 0.5 })),
      many: await failed(detector.detect(await photo(3000, 400, []), { tiles: 8 })),
      picture: await failed(detector.detect([image, new File(["text"], "notes.png")])),
      box: await failed(detector.crop(image, { x: 0, y: 0, width: Number.NaN, height: 1 })),
      aborted: await failed(detector.detect(image, { signal: abort.signal })),
    };
    await detector.dispose();
    return { ...results, disposed: await failed(detector.detect(image)) };
  });
  const error = (code: string, message: RegExp) => ({
    name: "ReidError",
    code,
    message: expect.stringMatching(message),
    image: undefined,
  });
  expect(errors).toMatchObject({
    device: error("bad-input", /`options.device` must be "auto", "gpu" or "cpu"/),
    address: error("http", /404/),
    model: error("bad-weights", /^tiny_osnet\.safetensors: .*/),
    bytes: error("bad-weights", /./),
    score: error("bad-input", /`options.minScore` must be a number from 0 to 1/),
    tiles: error("bad-input", /`options.tiles` must be "auto", "off" or a whole number/),
    many: { name: "ReidError", code: "bad-input", message: expect.stringMatching(/3000×400.*take larger ones/) },
    picture: {
      name: "ReidError",
      code: "bad-image",
      message: expect.stringMatching(/^notes\.png: /),
      image: "notes.png",
    },
    box: error("bad-input", /A box must be/),
    aborted: error("aborted", /Cancelled/),
    disposed: error("disposed", /Create another/),
  });
});

test("a photo of 48 megapixels is looked at by a worker that ends with the call", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
    const before = await detector.memory();
    const image = await photo(8000, 6000, [[2000, 3000, 1000, 255]]);
    const people = await detector.detect(image, { tiles: "off" });
    const [crop] = await detector.crop(
      image,
      people.slice(0, 1).map(({ box }) => box),
    );
    const after = await detector.memory();
    return { people: people.length, crop: crop && crop.width * crop.height > 1e6, held: after - before };
  });
  expect(seen).toMatchObject({ people: 1, crop: true });
  // For the file's beginning, which tells the photo's size.
  expect(seen.held).toBeLessThan(2e6);
  await expect.poll(() => page.workers().length).toBe(1);
});
