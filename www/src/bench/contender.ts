import type { GpuCounters } from "./gpu-tally.ts";

/** A network made ready on a device, with a batch of images to run. */
export interface Contender {
  /** The adapter's name, or "CPU". */
  readonly device: string;
  /** Of what the network computes on the way. */
  readonly precision: "f16" | "f32";
  run(): Promise<Run>;
  /** Undefined on the CPU. */
  gpuCounters(): Promise<GpuCounters | undefined>;
  /** Frees what it holds; a run under way fails. */
  close(): void;
}

export interface Run {
  readonly ms: number;
  /** One for each image, of length 1. */
  readonly features: readonly Float32Array[];
}
