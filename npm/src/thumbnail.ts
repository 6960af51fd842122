// Small pictures, to show photos by.
import type { Picture } from "./image.js";
import { type ImagePayload, isBitmap } from "./picture-size.js";

/** In pixels: a person's crop is about twice as high as wide. */
const [HEIGHT, WIDTH] = [160, 160];

/** A small JPEG of a picture; undefined where the browser cannot make one. */
export async function thumbnailOf(picture: Picture): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const image = await picture.payload();
    // As it is decoded: the whole of a large photo would take its memory on the page.
    const bitmap = await createImageBitmap(drawable(image), { resizeHeight: HEIGHT, resizeQuality: "medium" });
    if (picture.isFresh && isBitmap(image)) image.close();
    const scale = Math.min(1, WIDTH / bitmap.width);
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const canvas = new OffscreenCanvas(width as number, height as number);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
    // Or those of a thousand pictures wait for garbage collection.
    canvas.width = canvas.height = 0;
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    // A picture whose feature was computed counts without.
    return undefined;
  }
}

function drawable(image: ImagePayload): Blob | ImageBitmap | ImageData {
  if (!("data" in image) || image instanceof ImageData) return image;
  return new ImageData(new Uint8ClampedArray(image.data), image.width, image.height);
}
