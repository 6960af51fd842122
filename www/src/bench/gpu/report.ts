// What the page hands over as JSON.

export type Precision = "f32" | "f16";

export interface AdapterReport {
  readonly name: string;
  /** Software imitates it. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly timestamps: boolean;
  /** Bytes that a kernel may have in one piece. */
  readonly largestBuffer: number;
}

export interface PeakRow {
  readonly what: "product" | "copy";
  readonly precision: Precision;
  /** The form of a product, with its size; how much was copied. */
  readonly how: string;
  readonly outcome: "measured" | "failed";
  /** Why it was not measured. */
  readonly reason?: string;
  /** In FLOP/s, or in bytes/s, read and written. */
  readonly rate?: number;
  readonly right?: boolean;
}

export interface FeatureRow {
  /** Its key, as addresses have it. */
  readonly network: string;
  readonly outcome: "measured" | "failed";
  readonly reason?: string;
  readonly compared?: Compared;
}

/** Features of the GPU and of the CPU. */
export interface Compared {
  /** Of what the network computes on the GPU. */
  readonly precision: Precision;
  readonly images: number;
  /** The largest, of the largest value. */
  readonly difference: number;
  /** The smallest of an image's two features. */
  readonly cosine: number;
  /** What the difference may be. */
  readonly allowed: number;
  readonly right: boolean;
}

export interface SpeedRow {
  readonly network: string;
  readonly batch: number;
  readonly outcome: "measured" | "skipped" | "failed";
  readonly reason?: string;
  readonly speed?: Speed;
}

export interface Speed {
  readonly precision: Precision;
  readonly imagesPerSecond: number;
  /** A call, from the images to the features: the median. */
  readonly ms: number;
  readonly calls: number;
  /** Billions of operations a second that the network's layers are. */
  readonly gflops: number;
  /** Of the best product in this precision; undefined where none was right. */
  readonly share: number | undefined;
}

export interface GpuReport {
  readonly webreid: string;
  readonly date: string;
  readonly browser: string;
  state: "running" | "done" | "cancelled";
  adapter: AdapterReport | undefined;
  readonly features: FeatureRow[];
  readonly peaks: PeakRow[];
  readonly speeds: SpeedRow[];
  /** In sentences, once it is done. */
  conclusion: readonly string[];
}

/** The fastest that is right. */
export function bestProduct({ peaks }: GpuReport, precision: Precision): PeakRow | undefined {
  return peaks
    .filter((peak) => peak.what === "product" && peak.precision === precision && peak.right)
    .reduce<PeakRow | undefined>((best, peak) => ((peak.rate ?? 0) > (best?.rate ?? 0) ? peak : best), undefined);
}

/** Nothing that was looked at is wrong. */
export function isRight({ features, peaks }: GpuReport): boolean {
  return features.every(({ compared }) => compared?.right ?? true) && peaks.every(({ right }) => right ?? true);
}
