// What is asked of a worker that holds a gallery, and its generated glue there, typed as the Rust side promises it
// (src/web/people/gallery.rs).
import type { TreePhotos } from "./tree-protocol.js";

/** Names a photo within its gallery, for good. */
export type PhotoId = number;
/** Names a person within their gallery; it is never used for another. */
export type PersonId = number;

/** Where a person stands in a photo, in pixels of the upright image, from its left upper corner. */
export interface PersonBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is known of a photo of one person. */
export interface PhotoRecord {
  /** What the user knows it by: the file's name or path. */
  readonly name: string;
  /** Of the file's bytes, 32 hexadecimal digits: the same file is the same photo, unless their boxes differ. */
  readonly hash: string;
  /** What the camera is called, where it is known. */
  readonly camera?: string | undefined;
  /** When it was taken, in seconds since 1970 (UTC). */
  readonly time?: number | undefined;
  /** Undefined where the whole picture shows the person. */
  readonly box?: PersonBox | undefined;
  /** How much the picture can tell, 0…1. */
  readonly quality?: number | undefined;
}

/** A photo of the gallery, as it stands. */
export interface GalleryPhoto extends PhotoRecord {
  readonly id: PhotoId;
  /** Whom it shows; undefined where that is not known. */
  readonly person?: PersonId | undefined;
  /** A user said so, not a grouping: it does not move by itself. */
  readonly confirmed?: boolean | undefined;
  /** It is kept, but neither shown, grouped nor found. */
  readonly hidden?: boolean | undefined;
  /** False where the feature is lost, or of a model before: `reextract` brings it back. */
  readonly hasFeature: boolean;
  readonly hasThumbnail: boolean;
}

/** Somebody, known by name or not yet. Hidden photos are left out. */
export interface GalleryPerson {
  readonly id: PersonId;
  readonly name?: string | undefined;
  /** The photo to show them by: the chosen one, else the best. */
  readonly cover?: PhotoId | undefined;
  /** The photos that a user said are theirs. */
  readonly confirmed: readonly PhotoId[];
  /** The photos that grouping takes for theirs. */
  readonly suggested: readonly PhotoId[];
}

/** Everybody, and the photos of nobody that is known. */
export interface GalleryPeople {
  /** Those with a name in its order, then the others, who has most photos first. */
  readonly people: readonly GalleryPerson[];
  readonly unsure: readonly PhotoId[];
}

/** A photo that was found. */
export interface GalleryHit {
  readonly photo: GalleryPhoto;
  /** Whom it is taken for. */
  readonly person?: { readonly id: PersonId; readonly name?: string | undefined } | undefined;
  /** The cosine of the features, −1…1; for a person, the largest with one of their photos. Not a probability. */
  readonly score: number;
  /**
   * How likely it shows who was searched for, 0…1, as far as the gallery's own groups and what was answered tell. Undefined
   * where there are no groups to tell it from, and in large galleries before `groups` was called.
   */
  readonly probability?: number | undefined;
  /** "same" from a probability of 0.9 on, "different" up to 0.1. Undefined in large galleries before `groups` was called. */
  readonly verdict?: Verdict | undefined;
}

/** Whether a photo shows who was searched for. A suggestion, never proof. */
export type Verdict = "same" | "unsure" | "different";

/** Everybody after a grouping. */
export interface GalleryGroups extends GalleryPeople {
  /** How strict it was, 0 (all one person) to 1 (nobody alike). */
  readonly strictness: number;
}

/** Are these one person? */
export interface GalleryQuestion {
  /** A few photos to show of each side, the most typical first. */
  readonly a: readonly PhotoId[];
  readonly b: readonly PhotoId[];
  /** Whether they are in one group now. */
  readonly together: boolean;
  /** How many photos would find their place by the answer, on average over what it may be. */
  readonly tells: number;
}

/** What a user says of two photos, or two sets of photos. */
export type Answer = "same" | "different" | "unsure";

/** What can be done; each is one step of undo. `despite` drops the earlier answers that it contradicts. */
export type GalleryAct =
  | { readonly act: "remove" | "release"; readonly photos: readonly PhotoId[] }
  | { readonly act: "enrol"; readonly photos: readonly PhotoId[]; readonly name?: string; readonly despite?: boolean }
  | {
      readonly act: "confirm" | "move";
      readonly person: PersonId;
      readonly photos: readonly PhotoId[];
      readonly despite?: boolean;
    }
  | { readonly act: "split"; readonly parts: readonly (readonly PhotoId[])[] }
  | { readonly act: "merge"; readonly into: PersonId; readonly from: PersonId; readonly despite?: boolean }
  | { readonly act: "name"; readonly person: PersonId; readonly name: string | null }
  | { readonly act: "dissolve"; readonly person: PersonId }
  | { readonly act: "hide"; readonly photos: readonly PhotoId[]; readonly hidden: boolean }
  | { readonly act: "cover"; readonly person: PersonId; readonly photo: PhotoId | null }
  | {
      readonly act: "answer";
      readonly a: readonly PhotoId[];
      readonly b: readonly PhotoId[];
      readonly answer: Answer;
      readonly despite?: boolean;
    }
  | {
      readonly act: "group";
      readonly groups: readonly (readonly PhotoId[])[];
      readonly unsure: readonly PhotoId[];
    };

/** The name of something that was done. */
export type GalleryActName = GalleryAct["act"] | "add" | "import";

/** A part of a `.reid` file that could not be read. Everything else is there. */
export interface GalleryLoss {
  /** Features are extracted again, thumbnails come with the photos; what was done before cannot be undone. */
  readonly part: "features" | "thumbnails" | "history";
  /** For people, with what to do. */
  readonly message: string;
}

/** Comes with every reply. */
export interface GalleryStatus {
  /** Of the model whose features it holds. */
  readonly fingerprint: string;
  readonly dim: number;
  readonly photos: number;
  readonly withoutFeatures: number;
  readonly undo?: GalleryActName | undefined;
  readonly redo?: GalleryActName | undefined;
}

/** Where a browser keeps a gallery: files of the page's own, or its database. */
export type GalleryPlace = "opfs" | "indexeddb";

export interface OpenedGallery {
  /** Undefined where it is in memory only. */
  readonly place: GalleryPlace | undefined;
  readonly readOnly: boolean;
  readonly losses: readonly GalleryLoss[];
}

/** The model that a new gallery is for. */
export interface GalleryModel {
  readonly fingerprint: string;
  readonly dim: number;
}

/** What a gallery keeps features in: with "f16" in half the memory, and their similarities move by less than 0.001. */
export type GalleryPrecision = "f32" | "f16";

/** A gallery that there is not yet. */
export interface NewGallery {
  readonly model: GalleryModel;
  readonly precision: GalleryPrecision;
}

/** What tells a photo from others. */
export type PhotoKey = Pick<PhotoRecord, "hash" | "box">;

/** What cameras add to their photos may be taken off before photos are compared. */
export type CameraMeans = "none" | "centre" | "standardise";

/** What is grouped. */
export interface GroupingInput extends TreePhotos {
  readonly photos: Uint32Array<ArrayBuffer>;
  /** By their numbers. */
  readonly cameraNames: readonly string[];
  /** While it is the same, so are the groups. */
  readonly key: string;
}

type Nothing = Record<never, never>;
type Found = { readonly top: number; readonly cameras: CameraMeans };

export interface GalleryCalls {
  /** Comes first. */
  open: { request: { module: WebAssembly.Module }; reply: undefined };
  /** One of the next three is second: an empty one, one from a file, or the kept one of that name, or a new one. */
  createGallery: { request: NewGallery; reply: OpenedGallery };
  readGallery: { request: { file: Blob }; reply: OpenedGallery };
  openGallery: { request: { name: string } & NewGallery; reply: OpenedGallery };
  /** From now on it is kept under that name. */
  keepGallery: { request: { name: string }; reply: OpenedGallery };
  /** Writes what has changed, where it is kept. */
  save: { request: Nothing; reply: undefined };
  /** Saves, and lets others open it. */
  closeGallery: { request: Nothing; reply: undefined };
  /** Of files, or of pixels. */
  contentHashes: { request: { contents: readonly (Blob | Uint8Array<ArrayBuffer>)[] }; reply: string[] };
  /** The number of each photo that is there with a feature, else −1. */
  findPhotos: { request: { photos: readonly PhotoKey[] }; reply: Int32Array };
  addPhotos: {
    request: {
      /** No two the same. */
      photos: readonly PhotoRecord[];
      /** The name of whom they show. */
      person: string | undefined;
      fingerprint: string;
      features: readonly (Float32Array | undefined)[];
      thumbnails: readonly (Uint8Array | undefined)[];
    };
    reply: PhotoId[];
  };
  /** The people that it made, or that photos are with now. */
  act: { request: { act: GalleryAct }; reply: PersonId[] };
  undo: { request: Nothing; reply: GalleryActName | undefined };
  redo: { request: Nothing; reply: GalleryActName | undefined };
  photos: { request: { photos: readonly PhotoId[] | undefined }; reply: GalleryPhoto[] };
  people: { request: Nothing; reply: GalleryPeople };
  named: { request: { name: string }; reply: PersonId | undefined };
  thumbnail: { request: { photo: PhotoId }; reply: Uint8Array<ArrayBuffer> | undefined };
  searchFeature: {
    request: { feature: Float32Array; fingerprint: string | undefined; camera: string | undefined } & Found;
    reply: GalleryHit[];
  };
  searchPerson: { request: { person: PersonId } & Found; reply: GalleryHit[] };
  searchPhoto: { request: { photo: PhotoId } & Found; reply: GalleryHit[] };
  /** With features `[photos, dim]`. */
  changeModel: { request: { model: GalleryModel; photos: Uint32Array; rows: Float32Array }; reply: undefined };
  groupingKey: { request: Nothing; reply: string };
  groupingInput: { request: Nothing; reply: GroupingInput };
  /** `[photos, dim]` */
  features: { request: { photos: readonly PhotoId[] }; reply: Float32Array<ArrayBuffer> };
  /** The pairs of photos that users answered about. */
  asked: { request: Nothing; reply: Uint32Array };
  /** The first whose answer is not known; undefined where there is none. */
  openQuestion: { request: { questions: readonly GalleryQuestion[] }; reply: GalleryQuestion | undefined };
  toBlob: { request: Nothing; reply: Blob };
  /** Bytes that it takes where it is kept, as last written; undefined where it is in memory only. */
  keptBytes: { request: Nothing; reply: number | undefined };
}

export interface GalleryGlue {
  readonly Gallery: {
    new (fingerprint: string, dim: number, precision: GalleryPrecision): WasmGallery;
    fromBytes(file: Uint8Array): WasmGallery;
  };
  contentHash(content: Uint8Array): string;
}

export interface WasmGallery {
  status(): GalleryStatus;
  losses(): GalleryLoss[];
  toBytes(): Uint8Array<ArrayBuffer>;
  find(photos: readonly PhotoKey[]): Int32Array;
  add(
    photos: readonly PhotoRecord[],
    person: string | undefined,
    fingerprint: string,
    features: readonly (Float32Array | undefined)[],
    thumbnails: readonly (Uint8Array | undefined)[],
  ): Uint32Array;
  /** As JSON. */
  act(act: string): Uint32Array;
  undo(): GalleryActName | undefined;
  redo(): GalleryActName | undefined;
  photos(photos?: Uint32Array): GalleryPhoto[];
  people(): GalleryPerson[];
  unsure(): Uint32Array;
  named(name: string): PersonId | undefined;
  thumbnail(photo: PhotoId): Uint8Array<ArrayBuffer> | undefined;
  searchFeature(
    feature: Float32Array,
    fingerprint: string | undefined,
    camera: string | undefined,
    top: number,
    cameras: CameraMeans,
  ): GalleryHit[];
  searchPerson(person: PersonId, top: number, cameras: CameraMeans): GalleryHit[];
  searchPhoto(photo: PhotoId, top: number, cameras: CameraMeans): GalleryHit[];
  changeModel(fingerprint: string, dim: number, photos: Uint32Array, rows: Float32Array): void;
  groupingKey(): string;
  groupingInput(): GroupingInput;
  features(photos: Uint32Array): Float32Array<ArrayBuffer>;
  asked(): Uint32Array;
  isOpen(a: Uint32Array, b: Uint32Array): boolean;
  free(): void;
}
