import type { Feature, Gallery, GalleryPhoto } from "webreid";

/** So many are held: 2,000 photos with a dozen models. */
const MOST = 25_000;

/** The features that models before gave: where one comes back, nobody is looked at a second time. */
export class KnownFeatures {
  /** By the models' fingerprints, the one seen last at the end; each by the photo. */
  readonly #of = new Map<string, ReadonlyMap<string, Feature>>();

  /** Those that a gallery has now. */
  async remember(gallery: Gallery): Promise<void> {
    const photos = (await gallery.photos()).filter(({ hasFeature }) => hasFeature);
    if (photos.length > MOST) return;
    const features = await gallery.features(photos);
    const { fingerprint } = gallery;
    const known = this.#of.get(fingerprint);
    this.#of.delete(fingerprint);
    this.#of.set(
      fingerprint,
      new Map([...(known ?? []), ...photos.map((photo, i) => [keyOf(photo), features[i] as Feature] as const)]),
    );
    let count = [...this.#of.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [oldest, { size }] of this.#of) {
      if (count <= MOST) return;
      count -= size;
      this.#of.delete(oldest);
    }
  }

  get(photo: GalleryPhoto, fingerprint: string): Feature | undefined {
    return this.#of.get(fingerprint)?.get(keyOf(photo));
  }
}

/** The same in whatever gallery. */
function keyOf({ hash, box }: GalleryPhoto): string {
  return JSON.stringify([hash, box]);
}
