// What the page hands over as JSON.

export interface Detected {
  readonly photosPerSecond: number;
  /** A photo: the median, and between which the middle half lies. */
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  /** The first call after loading. */
  readonly firstMs: number;
}

export interface DetectionRow {
  /** Of the setting. */
  readonly on: string;
  readonly name: string;
  readonly outcome: "measured" | "failed";
  /** Why it was not measured. */
  readonly reason?: string;
  readonly webreid?: Detected;
  readonly tfjs?: Detected;
  /** Above 1 webreid is faster. */
  readonly ratio?: number;
}

export interface DetectionReport {
  state: "running" | "done" | "cancelled";
  readonly photo: { readonly width: number; readonly height: number };
  readonly rows: DetectionRow[];
}
