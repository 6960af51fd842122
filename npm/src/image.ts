import { download, fileNameOf, resolveUrl } from "./download.js";
import type { Pixels } from "./engine.js";
import { ReidError } from "./errors.js";
import { isBytes } from "./lists.js";
import { checkImageSize, type ImagePayload, isBitmap, MAX_PIXELS, SMALL_PIXELS } from "./picture-size.js";

export { checkImageSize, type ImagePayload, LARGE_PIXELS, SMALL_PIXELS } from "./picture-size.js";

/**
 * Whatever a program may hold a picture in. Files, as a Blob, their bytes or an address, are best: they are decoded as the native
 * command does. A string is an address; in Node, a file's path. `Pixels` are RGBA, 8 bits each, row by row, of sRGB.
 */
export type ImageSource =
  | Blob
  | URL
  | string
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>
  | ImageBitmap
  | ImageData
  | Pixels
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame
  | HTMLCanvasElement
  | OffscreenCanvas;

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
  if (isBytes(source)) {
    if (source.byteLength > MAX_FILE_BYTES) throw fileTooLarge();
    return held(new Blob([source]));
  }
  const size = typeof source === "object" && source !== null && sizeOf(source);
  if (!size) {
    throw new ReidError(
      "bad-input",
      "an image must be a Blob, File, its bytes, URL, ImageBitmap, ImageData, VideoFrame, or a canvas, img or video element",
    );
  }
  const [width, height] = size;
  checkImageSize(width, height);
  const pixels = width * height;
  if ("data" in source) return held(toBytes(source), pixels);
  if (pixels <= SMALL_PIXELS) return held(await toBitmap(source), pixels);
  return { pixels, isFresh: true, payload: () => toBitmap(source), release() {} };
}

type Drawn = Exclude<ImageSource, string | URL | Blob | ArrayBuffer | Uint8Array>;

/** Of what is drawn or shown; undefined for what is neither. */
function sizeOf(source: Drawn): readonly [number, number] | undefined {
  const size =
    "naturalWidth" in source
      ? [source.naturalWidth, source.naturalHeight]
      : "videoWidth" in source
        ? [source.videoWidth, source.videoHeight]
        : "displayWidth" in source
          ? [source.displayWidth, source.displayHeight]
          : [source.width, source.height];
  const [width, height] = size;
  return typeof width === "number" && typeof height === "number" ? [width, height] : undefined;
}

/** As they are reckoned with: sRGB of 8 bits. */
function toBytes(image: ImageData | Pixels): Pixels {
  const { data, width, height } = image;
  if (!ArrayBuffer.isView(data) || data.length !== 4 * width * height || data.length === 0) {
    const found =
      ArrayBuffer.isView(data) && data.length === 0 ? "are gone: they were transferred elsewhere" : "are not RGBA";
    throw new ReidError("bad-image", `the pixels ${found}, 4 values for each of ${width}×${height}`);
  }
  const isImageData = typeof ImageData !== "undefined" && image instanceof ImageData;
  if (!isImageData) {
    if (data.BYTES_PER_ELEMENT === 1 && !(data instanceof Int8Array)) return { data, width, height };
    throw new ReidError("bad-image", "pixels must be a Uint8Array or a Uint8ClampedArray, RGBA");
  }
  if (data.BYTES_PER_ELEMENT === 1 && image.colorSpace === "srgb") return image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new ReidError("out-of-memory", `no memory for the image's ${width}×${height} pixels`);
  context.putImageData(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** Frees what was made of pictures, those that are still to come too. */
export function release(pictures: readonly Promise<Picture>[]): void {
  for (const picture of pictures) picture.then(({ release }) => release()).catch(() => {});
}

function held(image: ImagePayload, pixels?: number): Picture {
  const release = () => {
    if (!(image instanceof Blob) && isBitmap(image)) image.close();
  };
  return { pixels, isFresh: false, payload: async () => image, release };
}

async function toBitmap(source: Exclude<Drawn, ImageData | Pixels>): Promise<ImageBitmap> {
  if (typeof createImageBitmap === "undefined") {
    throw new ReidError("bad-image", "nothing can be drawn here: give the picture's file, or its pixels");
  }
  try {
    const bitmap = await createImageBitmap(source);
    // Moves the pixels, does not copy them: where they come from another site without its leave, this is what throws.
    return structuredClone(bitmap, { transfer: [bitmap] });
  } catch (error) {
    throw new ReidError(
      "bad-image",
      "the pixels cannot be read: the image is empty, closed, not loaded yet, or of another site that does not allow it (CORS)",
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
