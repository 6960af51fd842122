// What tells a picture from others before anything is computed of it.
import type { Picture } from "./image.js";
import { isBitmap } from "./picture-size.js";

/** The file's bytes, or for what is no file its size and pixels; as the worker hashes them. */
export async function contentOf(picture: Picture): Promise<Blob | Uint8Array<ArrayBuffer>> {
  const image = await picture.payload();
  if (image instanceof Blob) return image;
  const { width, height, data } = "data" in image ? image : pixelsOf(image);
  if (picture.isFresh && isBitmap(image)) image.close();
  const content = new Uint8Array(8 + data.length);
  new DataView(content.buffer).setUint32(0, width);
  new DataView(content.buffer).setUint32(4, height);
  content.set(data, 8);
  return content;
}

function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}
