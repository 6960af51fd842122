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
  #held: { readonly number: number; readonly photo: Photo } | undefined;

  constructor(glue: InferenceGlue, detector: Detector, takesLarge: boolean) {
    this.#glue = glue;
    this.#detector = detector;
    this.#takesLarge = takesLarge;
  }

  /**
   * Undefined for a large file, unless this is the worker for those. A photo with a number and people on it is held decoded for `crop`,
   * which mostly comes next.
   */
  async detect(image: ImagePayload, options: Detection, number: number | undefined): Promise<Person[] | undefined> {
    this.forget();
    const photo = await this.#open(image);
    if (!photo) return undefined;
    let people: Person[] = [];
    try {
      people = await this.#detector.detect(photo, options);
    } finally {
      if (number !== undefined && people.length > 0) this.#held = { number, photo };
      else photo.free();
    }
    return people;
  }

  /** The same of people cut out. */
  async crop(image: ImagePayload, boxes: PersonBox[], number: number | undefined): Promise<Pixels[] | undefined> {
    const held = this.#held?.number === number ? this.#held?.photo : undefined;
    if (held) this.#held = undefined;
    else this.forget();
    const photo = held ?? (await this.#open(image));
    try {
      return photo?.crop(boxes);
    } finally {
      photo?.free();
    }
  }

  /** Gives the photo back that is held. */
  forget(): void {
    this.#held?.photo.free();
    this.#held = undefined;
  }

  free(): void {
    this.forget();
    this.#detector.free();
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
