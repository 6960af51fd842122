// What is given to a gallery to be added, and to be found.
import { ReidError } from "./errors.js";
import type { GalleryPerson, GalleryPhoto, PersonBox, PersonId, PhotoId, PhotoRecord } from "./gallery-protocol.js";
import { type ImageSource, imageName } from "./image.js";

/** A photo of the gallery, or its number. */
export type PhotoRef = PhotoId | Pick<GalleryPhoto, "id" | "hash">;
/** A person of the gallery, or their number. */
export type PersonRef = PersonId | Pick<GalleryPerson, "id" | "suggested">;

/** What is known of a photo beside its picture. */
export interface PhotoDetails {
  /** What it is called; default: the file's name, or the last part of the address. */
  readonly name?: string | undefined;
  /** What the camera is called; photos of one name are of one camera. */
  readonly camera?: string | number | undefined;
  /** When it was taken; a number is milliseconds since 1970, as `Date` has them. */
  readonly time?: Date | number | undefined;
  /** Where in a larger photo the picture was cut out, in pixels: two people of one photo are two photos. */
  readonly box?: PersonBox | undefined;
}

/** A picture of one person, with what is known of it. */
export interface GallerySample extends PhotoDetails {
  readonly image: ImageSource;
  /** The larger photo that the picture was cut out of, if it was: it is that file which makes it the same photo. */
  readonly photo?: Blob | undefined;
}

/** A picture, and what is kept of it beside its hash and quality. */
export interface Sample {
  readonly image: ImageSource;
  /** In place of the picture's own content. */
  readonly photo: Blob | undefined;
  readonly record: Omit<PhotoRecord, "hash" | "quality">;
}

/** Fills in what holds for all photos. */
export function sampleOf(given: ImageSource | GallerySample, index: number, all: PhotoDetails): Sample {
  const sample: GallerySample = isSample(given) ? given : { image: given };
  const { camera = all.camera, time = all.time, box, name = imageName(sample.image, index), photo } = sample;
  const wrong = (what: string, wanted: string) =>
    new ReidError("bad-input", `\`${what}\` of ${name} must be ${wanted}.`, { image: { index, name } });
  if (typeof name !== "string") throw wrong("name", "a text");
  if (camera !== undefined && typeof camera !== "string" && typeof camera !== "number") {
    throw wrong("camera", "a name or a number");
  }
  const milliseconds = time === undefined ? undefined : Number(time);
  if (milliseconds !== undefined && !Number.isSafeInteger(Math.trunc(milliseconds))) {
    throw wrong("time", "a Date, or milliseconds since 1970");
  }
  if (photo !== undefined && !(photo instanceof Blob)) throw wrong("photo", "a Blob or a File");
  if (box !== undefined && (typeof box !== "object" || box === null)) throw wrong("box", "`{ x, y, width, height }`");
  const record = {
    name,
    ...(camera !== undefined && { camera: String(camera) }),
    ...(milliseconds !== undefined && { time: Math.floor(milliseconds / 1000) }),
    ...(box !== undefined && { box: { x: box.x, y: box.y, width: box.width, height: box.height } }),
  };
  return { image: sample.image, photo, record };
}

function isSample(given: ImageSource | GallerySample): given is GallerySample {
  return typeof given === "object" && given !== null && "image" in given;
}

/** The numbers of photos. */
export function photoIds(given: PhotoRef | Iterable<PhotoRef>): PhotoId[] {
  const isList = typeof given === "object" && given !== null && Symbol.iterator in given;
  return (isList ? Array.from(given) : [given]).map((photo) => idOf(photo, "photo"));
}

export function personId(given: PersonRef): PersonId {
  return idOf(given, "person");
}

function idOf(given: unknown, what: string): number {
  const id = typeof given === "object" && given !== null && "id" in given ? given.id : given;
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32) return id as number;
  throw new ReidError("bad-input", `A ${what} of the gallery was expected, or its number, not ${String(given)}.`);
}

export function isPhoto(target: unknown): target is Pick<GalleryPhoto, "id" | "hash"> {
  return typeof target === "object" && target !== null && "id" in target && "hash" in target;
}

export function isPerson(target: unknown): target is PersonRef {
  return (
    typeof target === "number" ||
    (typeof target === "object" && target !== null && "id" in target && "suggested" in target)
  );
}
