// Whatever is dropped: what is no photo is named or counted, and never stops the rest.
import { type App, expect, test } from "./support/app.ts";
import type { FilePayload } from "./support/files.ts";
import { boards } from "./support/jpeg.ts";
import { blank, person } from "./support/png.ts";

const good = [
  person("ann-1.png", { top: [40, 40, 190], legs: [30, 30, 60] }, 1),
  person("ann-2.png", { top: [40, 40, 190], legs: [30, 30, 60] }, 2),
] as const;
const [first, second] = good;

function file(name: string, content: string | Buffer, mimeType = "application/octet-stream"): FilePayload {
  return { name, mimeType, buffer: Buffer.from(content) };
}

async function hasPhotos(app: App, ...names: string[]): Promise<void> {
  await app.show("Photos");
  await expect(app.photos.locator(".name")).toHaveText(names);
}

test("files that are no usable picture are listed with the reason; the others are read", async ({ app, page }) => {
  const jpeg = boards(400, 300);
  await app.start();
  await app.read([
    file("notes.png", "This is a text file with another name.\n", "image/png"),
    first,
    file("empty.jpg", "", "image/jpeg"),
    blank("poster.png", 12_000, 9_000),
    file("half.png", first.buffer.subarray(0, first.buffer.length / 2), "image/png"),
    file("begun.jpg", jpeg.subarray(0, 300), "image/jpeg"),
    file("photo.heic", Buffer.from(`\0\0\0\x18ftypheic\0\0\0\0mif1heic${"\0".repeat(100)}`, "latin1"), "image/heic"),
    second,
  ]);
  for (const [name, reason] of [
    ["notes.png", "This is not a picture."],
    ["empty.jpg", "The file is empty."],
    ["poster.png", /12000×9000 = 108\.0 megapixels and the limit is 64/],
    ["half.png", /damaged|cut off/],
    ["begun.jpg", /damaged|cut off/],
    ["photo.heic", "This browser cannot read HEIC pictures. Save it as JPEG, and add that."],
  ] as const) {
    await expect(app.problems.filter({ hasText: name }), name).toHaveText(
      reason instanceof RegExp ? reason : `${name} ${reason}`,
    );
  }
  await expect(app.status).toHaveText(/^Done: 2 photos read\. 2 pictures of people, .*\. 6 files could not be used\.$/);
  await page
    .getByRole("region", { name: /could not be used/ })
    .or(page.getByRole("alert"))
    .getByRole("button")
    .click();
  await expect(app.problems).toHaveCount(0);
  await hasPhotos(app, "ann-1.png", "ann-2.png");
});

test("files that lie beside photos are counted once, and a model among them is none of the photos", async ({ app }) => {
  await app.start();
  await app.read([
    first,
    file("ann-1.xmp", "<x/>"),
    file("ann-1.json", "{}"),
    file("Thumbs.db", "x"),
    file("model.onnx", "x"),
    file("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
  ]);
  await expect(app.toasts.filter({ hasText: "left out" })).toHaveText(/^5 files that are no photos were left out\./);
  await expect(app.problems).toHaveCount(0);
  await expect(app.sheet).toHaveCount(0);
  await hasPhotos(app, "ann-1.png");
});

test("alone, what is no photo is named", async ({ app }) => {
  await app.start();
  await app.add(file("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"));
  await expect(app.problems).toHaveText("drawing.svg This is a drawing (SVG), not a photo.");
  await app.add(file("notes.txt", "Dear diary", "text/plain"));
  await expect(app.problems).toHaveText([/drawing/, "notes.txt This is not a picture."]);
});

test("a video that cannot be played is named with what to do, and the photos beside it are read", async ({ app }) => {
  await app.start();
  await app.read([
    first,
    file("clip.mp4", Buffer.alloc(2000, 7), "video/mp4"),
    file("none.webm", "", "video/webm"),
    second,
  ]);
  await expect(app.problems.filter({ hasText: "clip.mp4" })).toHaveText(
    "clip.mp4 This browser cannot play this video. Save it as MP4 (H.264) or WebM, and add that.",
  );
  await expect(app.problems.filter({ hasText: "none.webm" })).toHaveText("none.webm The file is empty.");
  await expect(app.status).toHaveText(/^Done: 2 photos read/);
  await hasPhotos(app, "ann-1.png", "ann-2.png");
});

test("a folder of thousands of files that are no photos: two are, and the others are counted", async ({ app }) => {
  await app.start();
  const others = Array.from({ length: 3000 }, (_, i) => file(i % 3 ? `log-${i}.txt` : `object-${i}`, `${i}`, ""));
  await app.drop([...others.slice(0, 1500), ...good, ...others.slice(1500)]);
  await expect(app.toasts.filter({ hasText: "left out" })).toHaveText(
    /^3,000 files that are no photos were left out\./,
  );
  await expect(app.status).toHaveText(/^Done: 2 photos read/);
  await expect(app.problems).toHaveCount(0);
  await hasPhotos(app, "ann-1.png", "ann-2.png");
});

test("the same picture twice is one photo, whatever it is called", async ({ app }) => {
  await app.start();
  await app.read([first, { ...first, name: "copy of ann.png" }, second]);
  await expect(app.status).toHaveText(/^Done: 2 photos read/);
  await expect(app.toasts.filter({ hasText: /1 photo was already here/ }).first()).toBeVisible();
  await hasPhotos(app, "ann-1.png", "ann-2.png");
});

test("pictures that only the browser reads, and those without an ending, are read", async ({ app }) => {
  const gif = Buffer.from("R0lGODlhAQABAPAAAP8AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");
  await app.start();
  await app.drop([file("red.gif", gif, "image/gif"), { ...first, name: "IMG_0001", mimeType: "" }]);
  await expect(app.status).toHaveText(/^Done: 2 photos read/);
  await hasPhotos(app, "red.gif", "IMG_0001");
  await expect(app.problems).toHaveCount(0);
});

test("reading that fails as nobody expected says so, and goes on when asked", async ({ app, page }) => {
  await app.start();
  await page.evaluate(() => {
    const { AbortController: Real } = window;
    window.AbortController = class extends Real {
      constructor() {
        super();
        window.AbortController = Real;
        throw new Error("nobody thought of this");
      }
    };
  });
  await app.add([...good]);
  await expect(app.toasts.filter({ hasText: /Reading stopped\. nobody thought of this/ }).first()).toBeVisible();
  await page.getByRole("button", { name: "Read the other 2 photos" }).click();
  await expect(app.status).toHaveText(/^Done: 2 photos read/);
});

test("without a network the sample photos say so in plain words", async ({ page, app }) => {
  await app.start();
  await page.evaluate(() => {
    window.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  });
  await page.getByRole("button", { name: /^Try the sample photos/ }).click();
  await expect(
    app.toasts.filter({ hasText: /^The sample photos could not be loaded\. The network cannot be reached\./ }).first(),
  ).toBeVisible();
});
