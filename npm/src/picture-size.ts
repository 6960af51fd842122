// How large pictures may be, on the page and in workers.
import type { Pixels } from "./engine.js";
import { ReidError } from "./errors.js";

/** What crosses to the worker: an encoded file by reference, or pixels. */
export type ImagePayload = Blob | ImageBitmap | Pixels;

/** As in the Rust decoder: what a phone takes fits, what would fill its memory does not. */
export const MAX_PIXELS = 64_000_000;
/** Up to here a canvas is copied at once, so that the page may go on drawing on it; a few of them fit into memory. */
export const SMALL_PIXELS = 1_000_000;
/** More than most phones take: pictures above are decoded one at a time, and the memory for it is given back. */
export const LARGE_PIXELS = 12_500_000;

/** Throws `image-too-large` above the 64 megapixels that are read, in the decoder's words: for pages that show images first. */
export function checkImageSize(width: number, height: number): void {
  if (width * height > MAX_PIXELS) {
    const megapixels = ((width * height) / 1e6).toFixed(1);
    throw new ReidError(
      "image-too-large",
      `the image is ${width}×${height} = ${megapixels} megapixels and the limit is ${MAX_PIXELS / 1e6}: crop it to the person or make it smaller`,
    );
  }
}

export function isBitmap(image: ImagePayload | Uint8Array): image is ImageBitmap {
  return typeof ImageBitmap !== "undefined" && image instanceof ImageBitmap;
}
