// Small pictures of photos, made off the page: a photo of a phone takes 50 MB while it is decoded, and that is given back here.
import { imageDimensionsFromData } from "image-dimensions";
import { checkImageSize, ReidError } from "webreid";
import { digestOf } from "./digest.ts";
import { takenOf } from "./exif.ts";
import type { Area, Look, Reply, Request } from "./look.ts";
import { decodeSmall } from "./small-decode.ts";
import { jpegOf, THUMBNAIL } from "./thumbnail.ts";

// One after the other: more photos at once would only take more memory.
let queue: Promise<unknown> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  queue = queue.then(async () => {
    let reply: Reply;
    try {
      reply = { id: data.id, value: data.ask === "look" ? await look(data) : await cut(data) };
    } catch (error) {
      const code = error instanceof ReidError ? error.code : undefined;
      reply = { id: data.id, error: error instanceof Error ? error.message : String(error), code };
    }
    postMessage(reply);
  });
});

/** Of a file, in which most pictures tell their size, and JPEGs how they were taken: that is 64 KB at most, near the beginning. */
const HEAD_BYTES = 2 ** 17;

async function look({ file, isChecked }: { file: Blob; isChecked: boolean }): Promise<Look | undefined> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const size = imageDimensionsFromData(head);
  if (!size && !isChecked) return undefined;
  if (size) checkImageSize(size.width, size.height);
  const digest = await digestOf(file);
  const taken = await takenOf(file, head);
  const small = size?.type === "jpeg" && (await decodeSmall(file, size, THUMBNAIL));
  if (small) {
    const { frame, width, height } = small;
    const scale = THUMBNAIL / Math.max(frame.displayWidth, frame.displayHeight);
    return { ...taken, width, height, digest, thumbnail: await jpegAndClose(frame, scale) };
  }
  const whole = await createImageBitmap(file);
  const { width, height } = whole;
  const thumbnail = await jpegAndClose(whole, THUMBNAIL / Math.max(width, height));
  return { ...taken, width, height, digest, thumbnail };
}

async function cut({ file, area, height }: { file: Blob; area: Area | undefined; height: number }): Promise<Blob> {
  if (!area) {
    const whole = await createImageBitmap(file);
    return jpegAndClose(whole, height / whole.height);
  }
  const [x, y] = [Math.round(area.x), Math.round(area.y)];
  const [w, h] = [Math.max(1, Math.round(area.width)), Math.max(1, Math.round(area.height))];
  return jpegAndClose(await createImageBitmap(file, x, y, w, h), height / h);
}

async function jpegAndClose(picture: ImageBitmap | VideoFrame, scale: number): Promise<Blob> {
  try {
    return await jpegOf(picture, scale);
  } finally {
    picture.close();
  }
}
