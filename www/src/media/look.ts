// What the page asks of its worker for pictures.

/** A picture at first sight. */
export interface Look {
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

/** Of a picture as its file has it, which is upright only after it was turned. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Request =
  /** `jpeg`: of a file that is one. */
  | { readonly id: number; readonly ask: "look"; readonly file: Blob; readonly jpeg: Size | undefined }
  /** A part of a picture (or all of it), as a JPEG so high at most. */
  | {
      readonly id: number;
      readonly ask: "cut";
      readonly file: Blob;
      readonly area: Area | undefined;
      readonly height: number;
    };

export type Reply =
  | { readonly id: number; readonly value: Look | Blob }
  | { readonly id: number; readonly error: string };
