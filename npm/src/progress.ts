/** Where a long call is. Switch on `phase`. */
export type Progress =
  /**
   * Bytes arriving; `total` is undefined where the server does not say. `engine` is this package's own WebAssembly,
   * `formats` the part of it that only models of other programs need, `trainer` the one that only a fine-tune does, and `people`
   * the one that only ranking and galleries do; `detector` is what finds people in photos.
   */
  | {
      readonly phase: "download";
      readonly what: "engine" | "formats" | "trainer" | "people" | "weights" | "detector";
      readonly loaded: number;
      readonly total: number | undefined;
    }
  /** The weights are being read and the network set up on the device. */
  | { readonly phase: "model" }
  /** Photos that a gallery has read, to see which of them it has. */
  | { readonly phase: "read"; readonly done: number; readonly total: number }
  /** Images finished, the bad ones included. */
  | { readonly phase: "extract"; readonly done: number; readonly total: number }
  /** Photos in which people were looked for. */
  | { readonly phase: "detect"; readonly done: number; readonly total: number }
  /** The images to learn from, being collected before the first step. */
  | { readonly phase: "samples"; readonly done: number; readonly total: number }
  /** Steps of training finished. */
  | { readonly phase: "train"; readonly done: number; readonly total: number }
  /** How much of a ranking, or of an index, is done, 0…1: a ranking goes through the photos more than once. */
  | { readonly phase: "rank"; readonly fraction: number }
  /** How much of a grouping is done, 0…1, about. */
  | { readonly phase: "group"; readonly fraction: number };

export type OnProgress = (progress: Progress) => void;

/** Tells of a call until that is over: what else it has under way then goes on silently. */
export function untilOver(onProgress: OnProgress | undefined): { readonly tell: OnProgress; over(): void } {
  let isOver = false;
  return {
    tell: (progress) => {
      if (!isOver) onProgress?.(progress);
    },
    over: () => {
      isOver = true;
    },
  };
}
