// What the page hands over as JSON.
import type { Download } from "./downloads.ts";
import type { Machine } from "./machine.ts";
import type { Comparison } from "./measure.ts";
import type { Combination } from "./plan.ts";

/** Whether features are further apart than rounding explains. */
export function disagree({ webreid, largestDifference }: Comparison): boolean {
  return largestDifference > (webreid.precision === "f16" ? 5e-3 : 1e-3);
}

export interface Row {
  /** Keys, as addresses have them. */
  readonly network: string;
  readonly on: string;
  readonly batch: number;
  readonly outcome: "measured" | "skipped" | "failed";
  /** Why it was not measured. */
  readonly reason?: string;
  readonly comparison?: Comparison;
}

/** A network that was measured. */
export interface MeasuredNetwork {
  readonly key: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
}

export interface Report {
  readonly webreid: string;
  /** Its version, once it was loaded. */
  onnxruntimeWeb: string;
  readonly date: string;
  readonly machine: Machine;
  state: "running" | "done" | "cancelled";
  readonly networks: MeasuredNetwork[];
  readonly rows: Row[];
  readonly downloads: Download[];
}

export function row({ network, setting, batch }: Combination, rest: Omit<Row, "network" | "on" | "batch">): Row {
  return { network: network.key, on: setting.key, batch, ...rest };
}
