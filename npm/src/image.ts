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
/** Up to here a canvas is copied at once, so that the page may go on drawing on it; a few of them fit into memory. */
export const SMALL_PIXELS = 1_000_000;
/** More than most phones take: pictures above are decoded one at a time, and the memory for it is given back. */
export const LARGE_PIXELS = 12_500_000;
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

/** An image that can go to a worker. */
export interface Picture {
  /** Width × height; undefined for a file. */
  readonly pixels: number | undefined;
  /** Made anew each time it is asked for, to be given away; otherwise one for all. */
  readonly isFresh: boolean;
  payload(): Promise<ImagePayload>;
  /** Frees what was made. */
  release(): void;
}

/** Fetches what is an address, and takes the pixels of what is small on the page: of what is large, when they are asked for. */
export async function toPicture(source: ImageSource, signal: AbortSignal | undefined): Promise<Picture> {
  if (typeof source === "string" || source instanceof URL) {
    const url = resolveUrl(source);
    return held(await download(url, { signal, limit: { bytes: MAX_FILE_BYTES, error: fileTooLarge() } }));
  }
  if (source instanceof Blob) {
    if (source.size > MAX_FILE_BYTES) throw fileTooLarge();
    return held(source);
  }
  if (typeof source === "object" && source !== null && "width" in source) {
    const natural = "naturalWidth" in source;
    const [width, height] = natural ? [source.naturalWidth, source.naturalHeight] : [source.width, source.height];
    checkImageSize(width, height);
    const pixels = width * height;
    if (source instanceof ImageData) return held(source, pixels);
    if (pixels <= SMALL_PIXELS) return held(await toBitmap(source), pixels);
    return { pixels, isFresh: true, payload: () => toBitmap(source), release() {} };
  }
  throw new ReidError("bad-input", "an image must be a Blob, File, URL, ImageBitmap, ImageData, canvas or img element");
}

/** Frees what was made of pictures, those that are still to come too. */
export function release(pictures: readonly Promise<Picture>[]): void {
  for (const picture of pictures) picture.then(({ release }) => release()).catch(() => {});
}

function held(image: ImagePayload, pixels?: number): Picture {
  const release = () => {
    if (image instanceof ImageBitmap) image.close();
  };
  return { pixels, isFresh: false, payload: async () => image, release };
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
