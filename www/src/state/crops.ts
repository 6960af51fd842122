import type { GalleryPhoto, PersonDetector, PhotoId } from "webreid";
import type { Pictures } from "../media/pictures.ts";
import type { People } from "./people.ts";
import type { Pile } from "./pile.ts";

/** As many small pictures as a long list shows at once, several times over. */
const MOST = 1500;
/** Large ones are looked at one or two at a time. */
const MOST_LARGE = 40;
/** In pixels, upright. */
const LARGE_HEIGHT = 640;
/** As `PersonDetector.crop` has it: a twentieth on each side. */
const MARGIN = 0.05;

/** Pictures of the people, as object URLs: the small ones that the gallery keeps, and large ones cut out of their photos. */
export class Crops {
  readonly #people: People;
  readonly #pile: Pile;
  readonly #pictures: Pictures;
  readonly #detector: () => Promise<PersonDetector>;
  readonly #small = new Cache(MOST);
  readonly #large = new Cache(MOST_LARGE);

  constructor(people: People, pile: Pile, pictures: Pictures, detector: () => Promise<PersonDetector>) {
    this.#people = people;
    this.#detector = detector;
    this.#pile = pile;
    this.#pictures = pictures;
  }

  /** Undefined where there is none. */
  small(photo: PhotoId): Promise<string | undefined> {
    return this.#small.get(this.#key(photo), async () => (await this.#people.gallery()).thumbnail(photo));
  }

  /** Where the photo is not at hand, the small one. */
  large(photo: PhotoId): Promise<string | undefined> {
    const view = this.#people.photos.peek().get(photo);
    if (!view || !this.file(view)) return this.small(photo);
    return this.#large.get(this.#key(photo), () => this.cut(view, LARGE_HEIGHT)).catch(() => this.small(photo));
  }

  /** Somebody cut out of their photo, a JPEG at most so many pixels high; undefined where it is not at hand. */
  async cut(view: GalleryPhoto, height: number): Promise<Blob | undefined> {
    const file = this.file(view);
    if (!file) return undefined;
    const { box } = view;
    if (!box) return this.#pictures.cut(file, undefined, height);
    const { width = Number.POSITIVE_INFINITY, height: full = Number.POSITIVE_INFINITY } =
      this.#pile.ofHash(view.hash) ?? {};
    const [x, y] = [Math.max(0, box.x - MARGIN * box.width), Math.max(0, box.y - MARGIN * box.height)];
    const area = {
      x,
      y,
      width: Math.min(width, box.x + (1 + MARGIN) * box.width) - x,
      height: Math.min(full, box.y + (1 + MARGIN) * box.height) - y,
    };
    return this.#pictures.cut(file, area, height);
  }

  #key(photo: PhotoId): string {
    return `${this.#people.generation.peek()}/${photo}`;
  }

  /** The picture as it was added, to be looked at again; undefined where the photo is not at hand. */
  async original(view: GalleryPhoto): Promise<Blob | ImageData | undefined> {
    const file = this.file(view);
    if (!file || !view.box) return file;
    const detector = await this.#detector();
    return detector.crop(file, view.box);
  }

  /** The file that shows them: a photo, or somebody cut out of a video. */
  file({ hash }: GalleryPhoto): Blob | undefined {
    const source = this.#pile.ofHash(hash);
    return source?.cuts?.get(hash) ?? source?.file;
  }
}

/** The object URLs used last; those that fall out are given back. */
class Cache {
  readonly #most: number;
  readonly #urls = new Map<string, Promise<string | undefined>>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string, make: () => Promise<Blob | undefined>): Promise<string | undefined> {
    const known = this.#urls.get(key);
    this.#urls.delete(key);
    const url = known ?? make().then((blob) => blob && URL.createObjectURL(blob));
    if (!known) url.then((made) => made ?? this.#urls.delete(key)).catch(() => this.#urls.delete(key));
    this.#urls.set(key, url);
    for (const [oldest, gone] of this.#urls) {
      if (this.#urls.size <= this.#most) break;
      this.#urls.delete(oldest);
      gone.then((made) => made && URL.revokeObjectURL(made)).catch(() => {});
    }
    return url;
  }
}
