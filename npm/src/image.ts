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

/** As in the Rust decoder: 8,000 × 8,000 and the like; past it one image would take more memory than a phone has. */
export const MAX_PIXELS = 64_000_000;
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
    checkPixels(source.width, source.height);
    return source;
  }
  if (typeof source === "object" && source !== null && "width" in source) {
    const natural = "naturalWidth" in source;
    checkPixels(natural ? source.naturalWidth : source.width, natural ? source.naturalHeight : source.height);
    return toBitmap(source);
  }
  throw new ReidError(
    "bad-input",
    "An image must be a Blob, File, URL, ImageBitmap, ImageData, canvas or img element.",
  );
}

/** Frees a bitmap that `toPayload` made. */
export function release(payload: ImagePayload | undefined): void {
  if (payload instanceof ImageBitmap) payload.close();
}

export function checkPixels(width: number, height: number): void {
  if (width * height > MAX_PIXELS) {
    throw new ReidError(
      "image-too-large",
      `The image is ${width} × ${height} pixels; the limit is ${MAX_PIXELS / 1e6} megapixels. Make it smaller first.`,
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
      "The pixels cannot be read: the image is empty, not loaded yet, or of another site that does not allow it (CORS).",
      { cause: error },
    );
  }
}

function fileTooLarge(): ReidError {
  return new ReidError(
    "image-too-large",
    `The file is over ${Math.round(MAX_FILE_BYTES / 1e6)} MB. Make it smaller first.`,
  );
}
