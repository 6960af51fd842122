// What photos cost that are far larger than they are shown: how much of them is decoded, and how often they are read.
import type { Page } from "@playwright/test";
import { type App, expect, test } from "./support/app.ts";
import type { FilePayload } from "./support/files.ts";

const [WIDTH, HEIGHT] = [2400, 1800];
/** Of the longer side: the largest that a small picture is made from. */
const MOST_SIDE = 1440;

/** In the worker that makes small pictures: tells of each that is decoded how large it is, and how many are held. */
const WATCH = `
  const told = new BroadcastChannel("decoded");
  let held = 0;
  const watched = (picture, width, height, isPart) => {
    told.postMessage({ width, height, isPart, held: ++held });
    const close = picture.close;
    picture.close = () => { held--; close.call(picture); };
    return picture;
  };
  const whole = createImageBitmap;
  self.createImageBitmap = async (...given) => {
    const bitmap = await whole(...given);
    if (!(given[0] instanceof Blob)) return bitmap;
    return watched(bitmap, bitmap.width, bitmap.height, given.length > 1);
  };
  const { drawImage } = OffscreenCanvasRenderingContext2D.prototype;
  OffscreenCanvasRenderingContext2D.prototype.drawImage = function (...given) {
    if (given.length > 3) told.postMessage("resized");
    return drawImage.apply(this, given);
  };
  const { decode } = ImageDecoder.prototype;
  ImageDecoder.prototype.decode = async function (...given) {
    const { image, complete } = await decode.apply(this, given);
    return { image: watched(image, image.codedWidth, image.codedHeight, false), complete };
  };
`;

/** In the worker that finds people: tells of each file that is read whole how large it is. */
const WATCH_READING = `{
  const told = new BroadcastChannel("read");
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = function () {
    told.postMessage(this.size);
    return arrayBuffer.call(this);
  };
}`;

interface Seen {
  readonly decoded: {
    readonly width: number;
    readonly height: number;
    readonly isPart: boolean;
    readonly held: number;
  }[];
  /** Files that the gallery's worker was asked to hash. */
  hashed: number;
  /** Pictures that were drawn larger or smaller than they are. */
  resized: number;
  /** Bytes of the files that were read to look for people. */
  readonly read: number[];
}

declare global {
  var seen: Seen;
}

test.beforeEach(async ({ page }) => {
  await page.route("**/picture-worker*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: WATCH + (await response.text()) });
  });
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: WATCH_READING + (await response.text()) });
  });
  await page.addInitScript(() => {
    globalThis.seen = { decoded: [], hashed: 0, resized: 0, read: [] };
    new BroadcastChannel("decoded").onmessage = ({ data }) => {
      if (data === "resized") seen.resized++;
      else seen.decoded.push(data);
    };
    new BroadcastChannel("read").onmessage = ({ data }) => seen.read.push(data);
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...given: [{ call?: string; contents?: unknown[] }]) {
      const [message] = given;
      if (message.call === "contentHashes") seen.hashed += message.contents?.length ?? 0;
      (postMessage as (...given: unknown[]) => void).apply(this, given);
    } as typeof postMessage;
  });
});

/** Grey, with two people in its upper left, and a patch that no two photos have in common. */
async function paint(page: Page, name: string, patch: string, type = "image/jpeg"): Promise<FilePayload> {
  const request = { width: WIDTH, height: HEIGHT, patch, type };
  const bytes = await page.evaluate(async ({ width, height, patch, type }) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    const fill = (style: string, x: number, y: number, w: number, h: number) => {
      context.fillStyle = style;
      context.fillRect(x, y, w, h);
    };
    fill("grey", 0, 0, width, height);
    fill("red", 600, 600, 300, 300);
    fill("red", 1200, 600, 300, 300);
    fill(patch, width / 2, height / 2, 40, 40);
    const file = await canvas.convertToBlob({ type, quality: 0.9 });
    return [...new Uint8Array(await file.arrayBuffer())];
  }, request);
  return { name, mimeType: type, buffer: Buffer.from(bytes) };
}

/** The same as a phone that was held upright gives it: it says that its left side is the top. */
function turned(photo: FilePayload, name: string): FilePayload {
  const orientation = "4d4d002a00000008000101120003000000010006000000000000";
  const exif = Buffer.concat([Buffer.from("Exif\0\0"), Buffer.from(orientation, "hex")]);
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return {
    ...photo,
    name,
    buffer: Buffer.concat([photo.buffer.subarray(0, 2), head, exif, photo.buffer.subarray(2)]),
  };
}

/** What a photo is taken to measure, upright, and what its small picture does. */
async function measured(app: App, name: string): Promise<{ photo: number[]; picture: number[] }> {
  const image = app.photos.filter({ hasText: name }).locator("svg image");
  return image.evaluate(async (shown: SVGImageElement) => {
    const picture = new Image();
    picture.src = shown.href.baseVal;
    await picture.decode();
    const photo = [shown.width.baseVal.value, shown.height.baseVal.value];
    return { photo, picture: [picture.naturalWidth, picture.naturalHeight] };
  });
}

const isSmall = ({ width, height }: { width: number; height: number }) => Math.max(width, height) <= MOST_SIDE;

test("JPEGs are decoded to a fraction of their size, one at a time, and come out upright", async ({ app, page }) => {
  await app.start();
  const photo = await paint(page, "lying.jpg", "blue");
  await app.read([photo, turned(await paint(page, "", "green"), "upright.jpg")]);
  await app.show("Photos");
  expect(await measured(app, "lying.jpg")).toEqual({ photo: [WIDTH, HEIGHT], picture: [360, 270] });
  expect(await measured(app, "upright.jpg")).toEqual({ photo: [HEIGHT, WIDTH], picture: [270, 360] });
  const { decoded, resized } = await page.evaluate(() => seen);
  // Of what a canvas draws at another size the browser keeps a copy, megabytes of each photo.
  expect(resized).toBe(0);
  const forSmall = decoded.filter(({ isPart }) => !isPart);
  expect(forSmall).toHaveLength(2);
  expect(forSmall.filter(isSmall)).toEqual(forSmall);
  expect(Math.max(...decoded.map(({ held }) => held))).toBe(1);
});

test("what the browser can only decode whole is closed before the next", async ({ app, page }) => {
  await app.start();
  const photos = [await paint(page, "a.png", "blue", "image/png"), await paint(page, "b.webp", "green", "image/webp")];
  await app.read(photos);
  const { decoded } = await page.evaluate(() => seen);
  expect(decoded.filter(({ isPart }) => !isPart)).toHaveLength(2);
  expect(Math.max(...decoded.map(({ held }) => held))).toBe(1);
});

test("a photo is hashed once for all the people on it", async ({ app, page }) => {
  await app.start();
  await app.read([await paint(page, "a.jpg", "blue"), await paint(page, "b.jpg", "green")]);
  await expect(app.status).toHaveText(/^Done: 2 photos read\. [4-9] pictures of people/);
  expect((await page.evaluate(() => seen)).hashed).toBe(2);
});

test("a photo is decoded once for finding people and cutting them out", async ({ app, page }) => {
  await app.start();
  const photos = [await paint(page, "a.jpg", "blue"), await paint(page, "b.jpg", "green")];
  // Of several at once, which are spread over workers, only the last are at hand.
  for (const photo of photos) {
    await app.add([photo]);
    await expect(app.cancel).toHaveCount(0);
    await expect(app.status).toHaveText(/^Done/);
  }
  const { read } = await page.evaluate(() => seen);
  const sizes = photos.map(({ buffer }) => buffer.length);
  expect(sizes[0]).not.toBe(sizes[1]);
  for (const size of sizes) expect(read.filter((bytes) => bytes === size)).toHaveLength(1);
});

test("what looks at photos ends when nothing is left to do, and comes back", async ({ app, page }) => {
  await app.start();
  await app.read([await paint(page, "a.jpg", "blue")]);
  const working = () => page.workers().filter((worker) => /\/(picture-)?worker-/.test(worker.url())).length;
  await expect.poll(working, { timeout: 20_000 }).toBe(0);
  await app.read([await paint(page, "b.jpg", "green"), await paint(page, "c.jpg", "white")]);
  await expect(app.status).toHaveText(/^Done: 2 photos read\. [1-9]/);
});
