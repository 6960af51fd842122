// What the page asks of its worker for pictures.
import type { ReidErrorCode } from "webreid";

/** By which camera, and when, in milliseconds since 1970. */
export interface Taken {
  readonly model?: string;
  readonly time?: number;
}

/** A picture at first sight. */
export interface Look extends Taken {
  /** Of the upright picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of the file's bytes. */
  readonly digest: string;
  /** A small JPEG of it. */
  readonly thumbnail: Blob;
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Request =
  /** Not known to be small enough, a picture is looked at only where its first bytes tell its size; otherwise the reply is undefined. */
  | { readonly id: number; readonly ask: "look"; readonly file: Blob; readonly isChecked: boolean }
  /** A part of a picture (or all of it), as a JPEG so high at most. */
  | {
      readonly id: number;
      readonly ask: "cut";
      readonly file: Blob;
      readonly area: Area | undefined;
      readonly height: number;
    };

export type Reply =
  | { readonly id: number; readonly value: Look | Blob | undefined }
  /** `code`: of a `ReidError`. */
  | { readonly id: number; readonly error: string; readonly code?: ReidErrorCode | undefined };
