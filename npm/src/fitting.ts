// In the worker: pictures brought to the network's size, one at a time.
import { isForeignFormat, isSvg } from "./brand.js";
import type { FittedImage, Frame, InferenceGlue, Pixels } from "./engine.js";
import { ReidError } from "./errors.js";
import { checkImageSize, type ImagePayload, isBitmap, LARGE_PIXELS } from "./picture-size.js";
import { giveBack, spend } from "./spent.js";

/** Of a file, in which the picture's size is told. */
const HEAD_BYTES = 2 ** 20;
/** Read from a bitmap at a time, which takes 16 MB. */
const STRIP_PIXELS = 2 ** 22;

export class Fitting {
  readonly #glue: InferenceGlue;
  readonly #frame: Frame;
  readonly #takesLarge: boolean;

  constructor(glue: InferenceGlue, frame: Frame, takesLarge: boolean) {
    this.#glue = glue;
    this.#frame = frame;
    this.#takesLarge = takesLarge;
  }

  /** Undefined for a large file, unless this is the worker for those. */
  async fit(image: ImagePayload): Promise<FittedImage | undefined> {
    if ("data" in image) return this.#fitPixels(image);
    if (!(image instanceof Blob)) return this.#fitBitmap(image);
    const file = await readFile(this.#glue, image, this.#takesLarge);
    if (!file) return undefined;
    return isBitmap(file) ? this.#fitBitmap(file) : spend(file, (bytes) => this.#glue.fit(bytes, this.#frame));
  }

  #fitPixels({ width, height, data }: Pixels): FittedImage {
    return spend(data, (pixels) =>
      this.#fitStrips(width, height, (y, rows) => pixels.subarray(4 * width * y, 4 * width * (y + rows))),
    );
  }

  #fitBitmap(bitmap: ImageBitmap): FittedImage {
    try {
      const { width, height } = bitmap;
      checkImageSize(width, height);
      const canvas = new OffscreenCanvas(width, stripRows(width, height));
      const context = canvas.getContext("2d", { willReadFrequently: true });
      if (!context) throw new ReidError("out-of-memory", `no memory for the image's ${width}×${height} pixels`);
      // A strip takes the place of the one before, also where it is transparent.
      context.globalCompositeOperation = "copy";
      return this.#fitStrips(width, height, (y, rows) => {
        context.drawImage(bitmap, 0, y, width, rows, 0, 0, width, rows);
        return context.getImageData(0, 0, width, rows).data;
      });
    } finally {
      bitmap.close();
    }
  }

  #fitStrips(
    width: number,
    height: number,
    strip: (y: number, rows: number) => Uint8Array | Uint8ClampedArray,
  ): FittedImage {
    const fitter = new this.#glue.PictureFitter(width, height, this.#frame);
    const rows = stripRows(width, height);
    for (let y = 0; y < height; y += rows) fitter.push(strip(y, Math.min(rows, height - y)));
    return fitter.finish();
  }
}

function stripRows(width: number, height: number): number {
  return Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
}

/** A picture's file for Rust, or its pixels where only the browser can decode it; undefined where a worker does not take it. */
export async function readFile(
  glue: InferenceGlue,
  file: Blob,
  takesLarge: boolean,
): Promise<Uint8Array<ArrayBuffer> | ImageBitmap | undefined> {
  const head = await bytesOf(file.slice(0, HEAD_BYTES));
  const isAllThere = file.size <= HEAD_BYTES;
  const [width = 0, height = 0] = glue.pictureSize(head) ?? [];
  const isLarge = width * height > LARGE_PIXELS || (width === 0 && !isAllThere);
  if (isLarge && !takesLarge) return undefined;
  if (isSvg(head)) {
    throw new ReidError("bad-image", "an SVG file is a drawing and has no pixels: draw it on a canvas, and give that");
  }
  if (isForeignFormat(head)) {
    checkImageSize(width, height);
    return decode(file);
  }
  if (isAllThere) return head;
  giveBack(head);
  return bytesOf(file);
}

/** Encoded files go to Rust as they are; only formats that Rust has no decoder for are left to the browser. */
async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch (error) {
    throw new ReidError("bad-image", "the image cannot be decoded here: convert it to PNG or JPEG", { cause: error });
  }
}

async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new ReidError("bad-image", "the file cannot be read: it may have been moved or deleted", { cause: error });
  }
}
