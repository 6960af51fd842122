// What is asked of a worker that holds a gallery, and what it tells, most of it as the Rust side declares it (src/gallery,
// src/web/people).
import type { Frozen } from "./frozen.js";
import type * as Glue from "./wasm/webreid_people.js";

export type {
  Answer,
  CameraMeans,
  GalleryActName,
  GalleryPrecision,
  PersonId,
  PhotoId,
  Verdict,
} from "./wasm/webreid_people.js";

export type PersonBox = Frozen<Glue.PersonBox>;
export type PhotoRecord = Frozen<Glue.PhotoRecord>;
export type PhotoKey = Frozen<Glue.PhotoKey>;
export type GalleryPhoto = Frozen<Glue.PhotoView>;
export type GalleryPerson = Frozen<Glue.PersonView>;
export type GalleryLoss = Frozen<Glue.GalleryLoss>;
export type GalleryStatus = Frozen<Glue.GalleryStatus>;
export type Judgement = Frozen<Glue.Judgement>;
export type GroupingInput = Readonly<Glue.GroupingInput>;

type PhotoId = Glue.PhotoId;
type PersonId = Glue.PersonId;

/** Everybody, and the photos of nobody that is known. */
export interface GalleryPeople {
  /** Those with a name in its order, then the others, who has most photos first. */
  readonly people: readonly GalleryPerson[];
  readonly unsure: readonly PhotoId[];
}

/** A photo that was found. */
export interface GalleryHit extends Frozen<Glue.FoundPhoto> {
  /**
   * How likely it shows who was searched for, 0…1, as far as the gallery's own groups and what was answered tell. Undefined
   * where there are no groups to tell it from, and in large galleries before `groups` was called.
   */
  readonly probability?: number | undefined;
  /** "same" from a probability of 0.9 on, "different" up to 0.1. Undefined in large galleries before `groups` was called. */
  readonly verdict?: Glue.Verdict | undefined;
}

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
      readonly answer: Glue.Answer;
      readonly despite?: boolean;
    }
  | {
      readonly act: "group";
      readonly groups: readonly (readonly PhotoId[])[];
      readonly unsure: readonly PhotoId[];
    };

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

/** A gallery that there is not yet. */
export interface NewGallery {
  readonly model: GalleryModel;
  readonly precision: Glue.GalleryPrecision;
}

type Nothing = Record<never, never>;
type Found = { readonly top: number; readonly cameras: Glue.CameraMeans };

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
  /** The person, whose the part with most of the confirmed photos is, then the new people. */
  splitInto: { request: { person: PersonId; parts: readonly (readonly PhotoId[])[] }; reply: PersonId[] };
  undo: { request: Nothing; reply: Glue.GalleryActName | undefined };
  redo: { request: Nothing; reply: Glue.GalleryActName | undefined };
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
  /** As if nobody had confirmed the photos of who is `doubted`. */
  groupingInput: { request: { doubted?: PersonId }; reply: GroupingInput };
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
