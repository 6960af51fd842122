// In the worker: the people in photos, one photo at a time.
import type { Detection, Detector, InferenceGlue, Person, PersonBox, Photo, Pixels } from "./engine.js";
import { ReidError } from "./errors.js";
import { readFile } from "./fitting.js";
import { checkImageSize, type ImagePayload, isBitmap } from "./picture-size.js";
import { spend } from "./spent.js";

export class Detecting {
  readonly #glue: InferenceGlue;
  readonly #detector: Detector;
  readonly #takesLarge: boolean;

  constructor(glue: InferenceGlue, detector: Detector, takesLarge: boolean) {
    this.#glue = glue;
    this.#detector = detector;
    this.#takesLarge = takesLarge;
  }

  /** Undefined for a large file, unless this is the worker for those. */
  detect(image: ImagePayload, options: Detection): Promise<Person[] | undefined> {
    return this.#with(image, (photo) => this.#detector.detect(photo, options));
  }

  /** The same of people cut out. */
  crop(image: ImagePayload, boxes: PersonBox[]): Promise<Pixels[] | undefined> {
    return this.#with(image, (photo) => photo.crop(boxes));
  }

  free(): void {
    this.#detector.free();
  }

  async #with<T>(image: ImagePayload, use: (photo: Photo) => T | Promise<T>): Promise<T | undefined> {
    const photo = await this.#open(image);
    try {
      return photo && (await use(photo));
    } finally {
      photo?.free();
    }
  }

  async #open(image: ImagePayload): Promise<Photo | undefined> {
    const { Photo } = this.#glue;
    const ofPixels = (image: Pixels) => spend(image.data, () => Photo.ofPixels(image));
    if ("data" in image) return ofPixels(image);
    const file = image instanceof Blob ? await readFile(this.#glue, image, this.#takesLarge) : image;
    if (!file) return undefined;
    return isBitmap(file) ? ofPixels(pixels(file)) : spend(file, (bytes) => Photo.decode(bytes));
  }
}

function pixels(bitmap: ImageBitmap): ImageData {
  try {
    const { width, height } = bitmap;
    checkImageSize(width, height);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new ReidError("out-of-memory", `no memory for the image's ${width}×${height} pixels`);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}
