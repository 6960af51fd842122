// Features of photos that are there, made anew.
import { aboutImage, isOfAnImage, ReidError, throwIfAborted } from "./errors.js";
import { Feature } from "./feature.js";
import type { ExtractionOptions } from "./gallery-extract.js";
import type { GalleryPhoto, PhotoId } from "./gallery-protocol.js";
import type { ImageSource } from "./image.js";
import type { ReIdentifier } from "./reidentifier.js";

/** The picture of a photo, as it was added, or what `reid` made of it before; nothing where neither is at hand. */
export type GetImage = (
  photo: GalleryPhoto,
) => ImageSource | Feature | null | undefined | Promise<ImageSource | Feature | null | undefined>;

/** What became of extracting photos again. */
export interface Extracted {
  /** How many have features of the model now. */
  readonly extracted: number;
  /** Those that have none. */
  readonly missing: readonly GalleryPhoto[];
}

interface Again {
  readonly ids: readonly PhotoId[];
  /** Of these, all of one model. */
  readonly features: readonly Feature[];
  readonly missing: readonly GalleryPhoto[];
}

/** Pictures asked for and looked at in one go: they are in memory together. */
const AT_ONCE = 32;

export async function extractAgain(
  photos: readonly GalleryPhoto[],
  reid: ReIdentifier,
  getImage: GetImage,
  { onProgress, signal, onError = "throw", onImageError }: ExtractionOptions,
): Promise<Again> {
  if (typeof getImage !== "function") throw new ReidError("bad-input", "`getImage` must be a function of a photo.");
  const [ids, features, missing]: [PhotoId[], Feature[], GalleryPhoto[]] = [[], [], []];
  onProgress?.({ phase: "extract", done: 0, total: photos.length });
  for (let first = 0; first < photos.length; first += AT_ONCE) {
    throwIfAborted(signal);
    const batch = photos.slice(first, first + AT_ONCE);
    const images = await Promise.all(batch.map(async (photo) => getImage(photo)));
    const there = images.flatMap((image, i) =>
      image && !(image instanceof Feature) ? [{ image, index: first + i }] : [],
    );
    const told = (error: ReidError) => {
      const { index } = there[error.image?.index ?? 0] as { index: number };
      const bare = error.cause instanceof ReidError ? error.cause : error;
      return aboutImage(bare, index, (photos[index] as GalleryPhoto).name);
    };
    const found = await reid
      .extract(
        there.map(({ image }) => image),
        { ...(signal && { signal }), onError, onImageError: (error) => onImageError?.(told(error)) },
      )
      .catch((error: unknown): never => {
        throw isOfAnImage(error) && error.image ? told(error) : error;
      });
    throwIfAborted(signal);
    const { fingerprint } = reid.describe();
    const all = images.map((image) => (image instanceof Feature ? image : undefined));
    if (all.some((feature) => feature && feature.fingerprint !== fingerprint)) {
      throw new ReidError("other-model", "`getImage` gave a feature of another model than `reid` is now.");
    }
    for (const [i, { index }] of there.entries()) all[index - first] = found[i] ?? undefined;
    const model = features[0]?.fingerprint ?? fingerprint;
    // It was trained meanwhile: with the model as it is now, from the start.
    if (all.some((feature) => feature && feature.fingerprint !== model)) {
      return extractAgain(photos, reid, getImage, { onProgress, signal, onError, onImageError });
    }
    for (const [i, feature] of all.entries()) {
      if (!feature) continue;
      ids.push((batch[i] as GalleryPhoto).id);
      features.push(feature);
    }
    onProgress?.({ phase: "extract", done: first + batch.length, total: photos.length });
  }
  const done = new Set(ids);
  missing.push(...photos.filter(({ id }) => !done.has(id)));
  return { ids, features, missing };
}
