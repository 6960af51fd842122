// From pictures to what a gallery keeps of them.
import { contentOf } from "./content.js";
import { abortable, aboutImage, isOfAnImage, ReidError, throwIfAborted } from "./errors.js";
import type { Feature } from "./feature.js";
import type { PhotoKey } from "./gallery-protocol.js";
import type { Sample } from "./gallery-sample.js";
import { type ImageSource, type Picture, toPicture } from "./image.js";
import { isBitmap } from "./picture-size.js";
import type { OnProgress } from "./progress.js";
import type { ReIdentifier } from "./reidentifier.js";
import { thumbnailOf } from "./thumbnail.js";

/** Pictures looked at at once: a few files of a phone fit into memory. */
const AT_ONCE = 8;

export interface ExtractionOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** As in `extract`. */
  readonly onError?: "throw" | "skip" | undefined;
  readonly onImageError?: ((error: ReidError) => void) | undefined;
}

/** What the worker is asked about photos. */
export interface Lookup {
  hashes(contents: (Blob | Uint8Array<ArrayBuffer>)[]): Promise<string[]>;
  /** Whether each photo is there with a feature. */
  known(photos: readonly PhotoKey[]): Promise<boolean[]>;
}

/** A picture's photo; `feature` and `thumbnail` are undefined where the gallery has them. */
export interface ExtractedPhoto {
  readonly sample: Sample;
  readonly hash: string;
  readonly feature: Feature | undefined;
  readonly thumbnail: Uint8Array<ArrayBuffer> | undefined;
}

/** A picture to look at. */
interface Wanted {
  readonly place: number;
  /** Of the first sample that has it. */
  readonly index: number;
  readonly image: ImageSource;
  readonly thumbnail: Uint8Array<ArrayBuffer> | undefined;
}

/** Looks at all pictures whose photos are not known. Of those that are no pictures, with `skip`, it gives null. */
export async function extractPhotos(
  samples: readonly Sample[],
  reid: ReIdentifier,
  lookup: Lookup,
  options: ExtractionOptions,
): Promise<(ExtractedPhoto | null)[]> {
  const { onProgress, signal, onError = "throw", onImageError } = options;
  const photos: (ExtractedPhoto | null)[] = samples.map(() => null);
  const failed = (error: unknown, index: number) => {
    if (!isOfAnImage(error)) throw error;
    const bare = error.image && error.cause instanceof ReidError ? error.cause : error;
    const told = aboutImage(bare, index, (samples[index] as Sample).record.name);
    if (onError === "throw") throw told;
    onImageError?.(told);
  };

  /** The pictures to look at, by their hash and box: each is looked at once. */
  const wanted = new Map<string, Wanted>();
  /** Of the files met so far: a photo comes again for each person on it. */
  const hashed = new Map<Blob, string>();
  /** Of each photo that is not known the key there. */
  const keys: (string | undefined)[] = [];
  for (let first = 0; first < samples.length; first += AT_ONCE) {
    throwIfAborted(signal);
    onProgress?.({ phase: "read", done: first, total: samples.length });
    const batch = samples.slice(first, first + AT_ONCE);
    const pictures = await Promise.allSettled(batch.map(({ image }) => toPicture(image, signal)));
    try {
      const contents = await Promise.allSettled(
        pictures.map(async (picture, i) => {
          if (picture.status === "rejected") throw picture.reason;
          return batch[i]?.photo ?? (await contentOf(picture.value));
        }),
      );
      const good: { index: number; picture: Picture; content: Blob | Uint8Array<ArrayBuffer> }[] = [];
      for (const [i, content] of contents.entries()) {
        const picture = pictures[i] as PromiseSettledResult<Picture>;
        if (content.status === "rejected") failed(content.reason, first + i);
        else if (picture.status === "fulfilled")
          good.push({ index: first + i, picture: picture.value, content: content.value });
      }
      const hashes = await abortable(
        hashesOf(
          good.map(({ content }) => content),
          hashed,
          lookup,
        ),
        signal,
      );
      const asked = good.map(({ index }, i) => ({ hash: hashes[i] as string, box: samples[index]?.record.box }));
      const known = await lookup.known(asked);
      const look = async (key: string, { index, picture }: { index: number; picture: Picture }) => {
        const given = (samples[index] as Sample).image;
        const [file, thumbnail] = await Promise.all([picture.payload(), thumbnailOf(picture)]);
        // An address is fetched once.
        const image = file instanceof Blob && !(given instanceof Blob) ? file : given;
        if (picture.isFresh && isBitmap(file)) file.close();
        wanted.set(key, { place: wanted.size, index, image, thumbnail });
      };
      const looks = new Map<string, Promise<void>>();
      for (const [i, found] of good.entries()) {
        const { index } = found;
        photos[index] = {
          sample: samples[index] as Sample,
          hash: hashes[i] as string,
          feature: undefined,
          thumbnail: undefined,
        };
        if (known[i]) continue;
        const key = JSON.stringify(asked[i]);
        keys[index] = key;
        if (!wanted.has(key) && !looks.has(key)) looks.set(key, look(key, found));
      }
      await Promise.all(looks.values());
    } finally {
      for (const picture of pictures) if (picture.status === "fulfilled") picture.value.release();
    }
  }

  onProgress?.({ phase: "read", done: samples.length, total: samples.length });
  const todo = [...wanted.values()];
  const before = samples.length - todo.length;
  const at = (error: ReidError) => (todo[error.image?.index ?? 0] as Wanted).index;
  const features = await reid
    .extract(
      todo.map(({ image }) => image),
      {
        ...(signal && { signal }),
        onError,
        onImageError: (error) => failed(error, at(error)),
        onProgress: (step) => {
          const moved = step.phase === "extract" ? { ...step, done: before + step.done, total: samples.length } : step;
          onProgress?.(moved);
        },
      },
    )
    .catch((error: unknown): never => {
      if (error instanceof ReidError && error.image) failed(error, at(error));
      throw error;
    });
  for (const [index, key] of keys.entries()) {
    const [photo, from] = [photos[index], key === undefined ? undefined : wanted.get(key)];
    if (!photo || !from) continue;
    const feature = features[from.place];
    photos[index] = feature ? { ...photo, feature, thumbnail: from.thumbnail } : null;
  }
  return photos;
}

type Content = Blob | Uint8Array<ArrayBuffer>;

/** Of each content its hash. A file that is there several times is read once. */
async function hashesOf(contents: readonly Content[], hashed: Map<Blob, string>, lookup: Lookup): Promise<string[]> {
  const fresh = [...new Set(contents)].filter((content) => !(content instanceof Blob && hashed.has(content)));
  const hashes = await lookup.hashes(fresh);
  const found = new Map(fresh.map((content, i) => [content, hashes[i] as string]));
  for (const [content, hash] of found) if (content instanceof Blob) hashed.set(content, hash);
  return contents.map((content) => (found.get(content) ?? hashed.get(content as Blob)) as string);
}
