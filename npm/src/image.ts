import { download, fileNameOf, resolveUrl } from "./download.js";
import { ReidError } from "./errors.js";

/** Whatever a page may hold a picture in. Files and URLs are best: their bytes are decoded as the native command does. */
export type ImageSource =
  | Blob
  | URL
  | string
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas;

/** What crosses to the worker: an encoded file by reference, or pixels. */
export type ImagePayload = Blob | ImageBitmap | ImageData;

/** As in the Rust decoder: what a phone takes fits, what would fill its memory does not. */
const MAX_PIXELS = 64_000_000;
/** No photo of 64 megapixels is larger, even uncompressed with alpha. */
const MAX_FILE_BYTES = 4 * MAX_PIXELS + 1024;

/** A name to call the image by in messages. */
export function imageName(source: ImageSource, index: number): string {
  if (typeof File !== "undefined" && source instanceof File && source.name) return source.name;
  const isAddress = typeof source === "string" || source instanceof URL;
  const address =
    isAddress && URL.canParse(source, "http://localhost/") ? new URL(source, "http://localhost/") : undefined;
  return (address?.protocol !== "data:" && address && fileNameOf(address)) || `image ${index + 1}`;
}

/** Fetches what is an address and takes the pixels of what is on the page. */
export async function toPayload(source: ImageSource, signal: AbortSignal | undefined): Promise<ImagePayload> {
  if (typeof source === "string" || source instanceof URL) {
    const url = resolveUrl(source);
    return download(url, { signal, limit: { bytes: MAX_FILE_BYTES, error: fileTooLarge() } });
  }
  if (source instanceof Blob) {
    if (source.size > MAX_FILE_BYTES) throw fileTooLarge();
    return source;
  }
  if (source instanceof ImageData) {
    checkImageSize(source.width, source.height);
    return source;
  }
  if (typeof source === "object" && source !== null && "width" in source) {
    const natural = "naturalWidth" in source;
    checkImageSize(natural ? source.naturalWidth : source.width, natural ? source.naturalHeight : source.height);
    return toBitmap(source);
  }
  throw new ReidError("bad-input", "an image must be a Blob, File, URL, ImageBitmap, ImageData, canvas or img element");
}

/** Frees a bitmap that `toPayload` made. */
export function release(payload: ImagePayload | undefined): void {
  if (payload instanceof ImageBitmap) payload.close();
}

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

async function toBitmap(source: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    const bitmap = await createImageBitmap(source);
    // Moves the pixels, does not copy them: where they come from another site without its leave, this is what throws.
    return structuredClone(bitmap, { transfer: [bitmap] });
  } catch (error) {
    throw new ReidError(
      "bad-image",
      "the pixels cannot be read: the image is empty, not loaded yet, or of another site that does not allow it (CORS)",
      { cause: error },
    );
  }
}

function fileTooLarge(): ReidError {
  return new ReidError(
    "image-too-large",
    `the file is over ${Math.round(MAX_FILE_BYTES / 1e6)} MB: crop the image to the person or make it smaller`,
  );
}
