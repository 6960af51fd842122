// The package in the hands of those who do not know it: what they give wrong, and where they put it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type * as Webreid from "../../npm/dist/index.js";
import type { ReidError } from "../../npm/dist/index.js";
import { packageFolder } from "./support/files.ts";
import { expect, openPackage, test } from "./support/package.ts";
import { person } from "./support/png.ts";

const picture = person("ann.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 3).buffer.toString("base64");

/** Makes a ReIdentifier that the test's other evaluations find. */
const open = (page: Page) =>
  page.evaluate(async (picture) => {
    const image = await (await fetch(`data:image/png;base64,${picture}`)).blob();
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
    Object.assign(globalThis, { reid, image });
  }, picture);

declare global {
  var reid: Webreid.ReIdentifier;
  var image: Blob;
}

test("wrong arguments are told of each call, and nothing throws where a promise is expected", async ({ page }) => {
  await open(page);
  const seen = await page.evaluate(async () => {
    const { FeatureIndex, Gallery, PersonDetector, ReIdentifier, configure, evaluate, preload, rank, rankAll } =
      webreid;
    // As it is called from JavaScript.
    // biome-ignore lint/suspicious/noExplicitAny: what no type allows is what is tried
    const any = (value: unknown) => value as any;
    const gallery = await Gallery.create({ reid });
    const detector = await PersonDetector.create({ weights: "./red_detector.safetensors" });
    const index = await FeatureIndex.create(await reid.extract([image]));
    const calls: Record<string, () => unknown> = {
      "create(address)": () => ReIdentifier.create(any("x.pth")),
      "create(null)": () => ReIdentifier.create(any(null)),
      "create({ weight })": () => ReIdentifier.create(any({ weight: "x.pth" })),
      "create({ signal })": () => ReIdentifier.create(any({ signal: true })),
      "extract(blob)": () => reid.extract(any(image)),
      "extract(bytes)": () => reid.extract(any(new Uint8Array(9))),
      "extract(undefined)": () => reid.extract(any(undefined)),
      "extract({ onError })": () => reid.extract([image], any({ onError: "bogus" })),
      "extract({ onFeatures })": () => reid.extract([image], any({ onFeatures: () => {} })),
      "extract(null options)": () => reid.extract([image], any(null)),
      "fineTune(sample)": () => reid.fineTune(any({ image, person: 1 })).next(),
      "fineTune({ epochs })": () => reid.fineTune([], any({ epochs: 3 })).next(),
      "estimateFineTune(hole)": () => reid.estimateFineTune(any([undefined])),
      "detector({ with })": () => PersonDetector.create(any({ with: {} })),
      "detect(7)": () => detector.detect(any(7)),
      "detect({ score })": () => detector.detect(image, any({ score: 1 })),
      "crop(no boxes)": () => detector.crop(image, any(undefined)),
      "gallery.add(blob)": () => gallery.add(any(image)),
      "gallery.merge(null options)": () => gallery.merge(1, 2, any(null)),
      "gallery.move({ force })": () => gallery.move(1, "Ann", any({ force: true })),
      "gallery.reextract({ skip })": () => gallery.reextract(() => image, any({ skip: true })),
      "index.add(null options)": () => index.add([], any(null)),
      "index.search(feature)": () => index.search(any(new Float32Array(3))),
      "evaluate(nothing)": () => evaluate(any(undefined), []),
      "rankAll({ adapt })": () => rankAll([[1]], [[1]], any({ adapt: { camera: "centre" } })),
      "preload({ what })": () => preload(any({ what: ["everything"] })),
    };
    const told: Record<string, string> = {};
    for (const [name, call] of Object.entries(calls)) {
      let promise: unknown;
      try {
        promise = call();
      } catch (error) {
        told[name] = `THROWN ${error}`;
        continue;
      }
      told[name] = await (promise as Promise<unknown>).then(
        () => "done",
        ({ name, code, message }: ReidError) => `${name} ${code} ${message}`,
      );
    }
    const thrown = (call: () => unknown) => {
      try {
        return `done ${call()}`;
      } catch (error) {
        return `${(error as ReidError).name} ${(error as ReidError).code}`;
      }
    };
    return { told, thrown: [thrown(() => rank([1], [[1]], any({ most: 1 }))), thrown(() => configure(any("/x/")))] };
  });
  for (const [name, message] of Object.entries(seen.told)) expect(message, name).toMatch(/^ReidError bad-input /);
  expect(seen.thrown).toEqual(["ReidError bad-input", "ReidError bad-input"]);
  expect(seen.told["create({ weight })"]).toMatch(/`options` has no "weight", but weights, input,/);
  expect(seen.told["extract(blob)"]).toMatch(/Images must be several, as in `\[image\]`/);
});

test("a Set, a FileList and what else can be gone through; a hole is that entry's error", async ({ page }) => {
  await open(page);
  const seen = await page.evaluate(async () => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([image], "a.png"));
    transfer.items.add(new File([image], "b.png"));
    function* two() {
      yield image;
      yield image;
    }
    const counts: number[] = [];
    for (const images of [new Set([image]), transfer.files, two(), [new Uint8Array(await image.arrayBuffer())]]) {
      counts.push((await reid.extract(images)).length);
    }
    const errors: string[] = [];
    const holes = await reid.extract(new Array<Blob>(2).concat(image), {
      onError: "skip",
      onImageError: ({ code, image }) => errors.push(`${image?.index} ${code}`),
    });
    const gallery = await webreid.Gallery.create({ reid });
    const added = await gallery.add(transfer.files);
    const detector = await webreid.PersonDetector.create({ weights: "./red_detector.safetensors" });
    const detected = await detector.detect(transfer.files);
    return { counts, errors, holes: holes.map((feature) => feature !== null), added: added.length, detected };
  });
  expect(seen).toMatchObject({ counts: [1, 2, 2, 1], errors: ["0 bad-input", "1 bad-input"], added: 2 });
  expect(seen.holes).toEqual([false, false, true]);
  expect(seen.detected).toHaveLength(2);
});

test("pixels of every kind are what they show: 16-bit floats, Display P3, a video's frame", async ({ page }) => {
  await open(page);
  const seen = await page.evaluate(async () => {
    const bitmap = await createImageBitmap(image);
    const { width, height } = bitmap;
    const draw = (settings: CanvasRenderingContext2DSettings) => {
      const context = new OffscreenCanvas(width, height).getContext(
        "2d",
        settings,
      ) as OffscreenCanvasRenderingContext2D;
      context.drawImage(bitmap, 0, 0);
      return context;
    };
    const floats = (context: OffscreenCanvasRenderingContext2D) =>
      context.getImageData(0, 0, width, height, { pixelFormat: "rgba-float16" } as ImageDataSettings);
    const [srgb, p3] = [draw({}), draw({ colorSpace: "display-p3" })];
    const { data } = srgb.getImageData(0, 0, width, height);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream();
    await video.play();
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    const given = [
      image,
      floats(srgb),
      p3.getImageData(0, 0, width, height, { colorSpace: "display-p3" }),
      { data, width, height },
      frame,
      video,
    ];
    const features = await reid.extract(given);
    const [first, ...others] = features;
    const kinds = [given[1], given[2]].map((image) => {
      const { data, colorSpace } = image as ImageData;
      return `${data.constructor.name} ${colorSpace}`;
    });
    return { kinds, alike: others.map((feature) => reid.similarity(first as Webreid.Feature, feature)) };
  });
  expect(seen.kinds).toEqual(["Float16Array srgb", "Uint8ClampedArray display-p3"]);
  // A frame on its way to or from a video loses some of its colour.
  for (const similarity of seen.alike.slice(0, 3)) expect(similarity).toBeGreaterThan(0.9999);
  for (const similarity of seen.alike.slice(3)) expect(similarity).toBeGreaterThan(0.998);
});

test("what is no picture any more, or never was, is that entry's error", async ({ page }) => {
  await open(page);
  const errors = await page.evaluate(async () => {
    const gone = new ImageData(8, 16);
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer] });
    const closed = await createImageBitmap(new ImageData(8, 16));
    closed.close();
    const canvas = new OffscreenCanvas(8, 16);
    canvas.getContext("2d")?.fillRect(0, 0, 8, 16);
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    frame.close();
    const svg = new Blob(['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'], { type: "image/svg+xml" });
    const errors: string[] = [];
    const given = [
      gone,
      closed,
      frame,
      document.createElement("video"),
      svg,
      new Image(),
      { data: [1], width: 1, height: 1 },
    ];
    await reid.extract([...(given as Blob[]), image], {
      onError: "skip",
      onImageError: ({ code, message, image }) => errors.push(`${image?.index} ${code} ${message}`),
    });
    return errors;
  });
  expect(errors).toEqual([
    expect.stringMatching(/^0 bad-image image 1: the pixels are gone: they were transferred/),
    expect.stringMatching(/^1 bad-image image 2: the pixels cannot be read: the image is empty, closed/),
    expect.stringMatching(/^2 bad-image image 3: the pixels cannot be read/),
    expect.stringMatching(/^3 bad-image image 4: the pixels cannot be read/),
    expect.stringMatching(/^4 bad-image image 5: an SVG file is a drawing/),
    expect.stringMatching(/^5 bad-image image 6: the pixels cannot be read/),
    expect.stringMatching(/^6 bad-image image 7: the pixels are not RGBA/),
  ]);
});

const create = (page: Page) =>
  page.evaluate(() =>
    webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" }).then(
      () => "works",
      ({ name, code, message }: ReidError) => `${name} ${code} ${message}`,
    ),
  );

test("a page in place of the module is told with its address", async ({ page, context }) => {
  await context.route("**/dist/wasm/*_bg.wasm", (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><title>app</title>" }),
  );
  expect(await create(page)).toMatch(
    /^ReidError http https:\/\/package\.test\/dist\/wasm\/webreid_\w+\.wasm answered with a web page in place of the file/,
  );
});

test("what is no module is told with what it is", async ({ page, context }) => {
  await context.route("**/dist/wasm/*_bg.wasm", (route) =>
    route.fulfill({ contentType: "text/plain", body: "version 1" }),
  );
  expect(await create(page)).toMatch(/\.wasm answered with "text\/plain" in place of a WebAssembly module/);
});

test("a policy that forbids WebAssembly is named, and what to add to it", async ({ page, context }) => {
  await context.route("https://package.test/", (route) =>
    route.fulfill({
      contentType: "text/html",
      headers: { "content-security-policy": "script-src 'self' 'unsafe-inline'" },
      body: "<!doctype html>",
    }),
  );
  await openPackage(page);
  expect(await create(page)).toMatch(/^ReidError blocked .*'wasm-unsafe-eval'/);
});

test("a worker that is not where it is looked for ends the call, and says what to do", async ({ page, context }) => {
  await context.route("**/dist/worker.js", (route) => route.fulfill({ status: 404, body: "" }));
  expect(await create(page)).toMatch(
    /^ReidError network The package's worker could not be loaded.*`configure\(\{ assets \}\)`/,
  );
});

test("an answer that cannot be read ends the call", async ({ page, faulty: _ }) => {
  const told = await page.evaluate(async () => {
    const listeners = new Map<string, () => void>();
    const Real = globalThis.Worker;
    globalThis.Worker = class extends Real {
      override addEventListener(...args: Parameters<Worker["addEventListener"]>) {
        if (args[0] === "messageerror") listeners.set("messageerror", args[1] as () => void);
        super.addEventListener(...args);
      }
    };
    const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
    const call = reid.exportWeights().then(
      () => "done",
      ({ code, message }: ReidError) => `${code} ${message}`,
    );
    listeners.get("messageerror")?.();
    // A new worker answers.
    return call;
  });
  expect(told).toBe("done");
});

test("workers, modules and weights of another site are found there", async ({ page, context }) => {
  const asked: string[] = [];
  const headers = { "access-control-allow-origin": "*" };
  await context.route("https://cdn.test/**", (route) => {
    const path = new URL(route.request().url()).pathname.replace("/webreid/", "");
    asked.push(path);
    const contentType = path.endsWith(".js") ? "text/javascript" : "application/wasm";
    return route.fulfill({ headers, contentType, body: readFileSync(join(packageFolder, path)) });
  });
  const dim = await page.evaluate(async () => {
    webreid.configure({ assets: "https://cdn.test/webreid" });
    const reid = await webreid.ReIdentifier.create();
    return reid.describe().featureDim;
  });
  expect(dim).toBe(256);
  expect(asked).toEqual(
    expect.arrayContaining(["worker.js", "wasm/webreid_relaxed_bg.wasm", "webreid-small.safetensors"]),
  );
});

test("what is preloaded is not fetched again", async ({ page }) => {
  const fetched = await page.evaluate(async () => {
    const done: string[] = [];
    await webreid.preload({
      onProgress: (step) => step.phase === "download" && step.loaded === step.total && done.push(step.what),
    });
    performance.clearResourceTimings();
    await webreid.ReIdentifier.create();
    const names = performance.getEntriesByType("resource").map(({ name }) => name.replace(/.*\//, ""));
    return { done: done.toSorted(), names: names.filter((name) => !name.endsWith(".js")) };
  });
  expect(fetched).toEqual({ done: ["engine", "weights"], names: [] });
});

test("what two calls need at once is fetched once, also where the first of them gives up", async ({ page }) => {
  const fetched = await page.evaluate(async () => {
    const abort = new AbortController();
    const given = webreid.preload({ what: ["engine"], signal: abort.signal }).catch(({ code }: ReidError) => code);
    const two = [1, 2].map(() => webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 }));
    abort.abort();
    await Promise.all(two);
    const engines = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("relaxed_bg.wasm"));
    return {
      given: await given,
      whole: engines.filter((entry) => (entry as PerformanceResourceTiming).decodedBodySize).length,
    };
  });
  expect(fetched).toEqual({ given: "aborted", whole: 1 });
});

test("what nobody holds any more ends its workers; a detector holds its ReIdentifier", async ({ page }) => {
  await page.evaluate(async () => {
    const { FeatureIndex, Gallery, PersonDetector, ReIdentifier } = webreid;
    const make = async () => {
      const reid = await ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
      await Gallery.create({ reid });
      await PersonDetector.create({ weights: "./red_detector.safetensors" });
      await FeatureIndex.create([[1, 2]]);
      const other = await ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
      return PersonDetector.create({ weights: "./red_detector.safetensors", with: other });
    };
    Object.assign(globalThis, { detector: await make() });
  });
  expect(page.workers().length).toBe(5);
  await expect
    .poll(async () => {
      await page.requestGC();
      return page.workers().length;
    })
    .toBe(1);
  const found = await page.evaluate(async () => {
    const { detector } = globalThis as unknown as { detector: Webreid.PersonDetector };
    return detector.detect(new ImageData(64, 64));
  });
  expect(found).toEqual([]);
});
