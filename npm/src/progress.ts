/** Where a long call is. Switch on `phase`. */
export type Progress =
  /**
   * Bytes arriving; `total` is undefined where the server does not say. `engine` is this package's own WebAssembly, and
   * `trainer` the part of it that only a fine-tune needs.
   */
  | {
      readonly phase: "download";
      readonly what: "engine" | "trainer" | "weights";
      readonly loaded: number;
      readonly total: number | undefined;
    }
  /** The weights are being read and the network set up on the device. */
  | { readonly phase: "model" }
  /** Images finished, the bad ones included. */
  | { readonly phase: "extract"; readonly done: number; readonly total: number }
  /** The images to learn from, being collected before the first step. */
  | { readonly phase: "samples"; readonly done: number; readonly total: number }
  /** Steps of training finished. */
  | { readonly phase: "train"; readonly done: number; readonly total: number };

export type OnProgress = (progress: Progress) => void;
