// Small pictures of photos, made off the page: a photo of a phone takes 50 MB while it is decoded, and that is given back here.
import type { Area, Look, Reply, Request } from "./look.ts";

/** Of the longer side, in pixels. */
const THUMBNAIL = 360;
const QUALITY = 0.82;

// One after the other: more photos at once would only take more memory.
let queue: Promise<unknown> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  queue = queue.then(async () => {
    let reply: Reply;
    try {
      reply = { id: data.id, value: data.ask === "look" ? await look(data.file) : await cut(data) };
    } catch (error) {
      reply = { id: data.id, error: error instanceof Error ? error.message : String(error) };
    }
    postMessage(reply);
  });
});

async function look(file: Blob): Promise<Look> {
  const whole = await createImageBitmap(file);
  const { width, height } = whole;
  const thumbnail = await jpeg(whole, THUMBNAIL / Math.max(width, height));
  return { width, height, digest: await digestOf(file), thumbnail };
}

async function cut({ file, area, height }: { file: Blob; area: Area | undefined; height: number }): Promise<Blob> {
  if (!area) {
    const whole = await createImageBitmap(file);
    return jpeg(whole, height / whole.height);
  }
  const [x, y] = [Math.round(area.x), Math.round(area.y)];
  const [w, h] = [Math.max(1, Math.round(area.width)), Math.max(1, Math.round(area.height))];
  return jpeg(await createImageBitmap(file, x, y, w, h), height / h);
}

async function jpeg(bitmap: ImageBitmap, scale: number): Promise<Blob> {
  const by = Math.min(1, scale);
  const canvas = new OffscreenCanvas(Math.max(1, bitmap.width * by), Math.max(1, bitmap.height * by));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw pictures in the background.");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

/** Where a page is served without a lock, there is no SHA-256: then the size and the first bytes tell files apart. */
async function digestOf(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  if (!crypto.subtle) return `${file.size}:${[...new Uint8Array(bytes.slice(0, 4096))].join()}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
