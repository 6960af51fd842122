// Checks a GPU from first to last, into the report.
import { messageOf } from "../../errors.ts";
import { conclude } from "./conclusion.ts";
import { OnGpu } from "./network.ts";
import { measurePeaks, peakCount } from "./peak.ts";
import type { CheckedNetwork, GpuPlan } from "./plan.ts";
import { Probe } from "./probe.ts";
import { bestProduct, type GpuReport } from "./report.ts";

/** Ends early, without an error, when the signal is aborted. `onWork` is told before each row. */
export async function checkGpu(
  plan: GpuPlan,
  software: boolean,
  report: GpuReport,
  signal: AbortSignal,
  onWork: (what: string, share: number) => void,
): Promise<void> {
  await new Check(plan, report, signal, onWork).run(software).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  report.state = signal.aborted ? "cancelled" : "done";
  if (!signal.aborted) report.conclusion = conclude(report);
}

class Check {
  readonly #plan: GpuPlan;
  readonly #report: GpuReport;
  readonly #signal: AbortSignal;
  readonly #onWork: (what: string, share: number) => void;
  #rows = 1;

  constructor(plan: GpuPlan, report: GpuReport, signal: AbortSignal, onWork: (what: string, share: number) => void) {
    this.#plan = plan;
    this.#report = report;
    this.#signal = signal;
    this.#onWork = onWork;
  }

  async run(software: boolean): Promise<void> {
    const { networks, batches } = this.#plan;
    this.#turn("Asking for the GPU");
    const probe = await Probe.open(this.#signal);
    try {
      this.#report.adapter = { ...probe.adapter, software };
      this.#rows = peakCount(probe) + networks.length * (1 + batches.length);
      const onTurn = (what: string) => this.#turn(`Measuring ${what}`);
      await measurePeaks(probe, this.#signal, onTurn, (row) => {
        if (!this.#signal.aborted) this.#report.peaks.push(row);
      });
    } finally {
      probe.close();
    }
    for (const network of networks) {
      if (this.#signal.aborted) return;
      await this.#network(network);
    }
  }

  async #network(network: CheckedNetwork): Promise<void> {
    const { features, speeds } = this.#report;
    const { key, name } = network;
    this.#turn(`Comparing the features of ${name}`);
    let onGpu: OnGpu | undefined;
    try {
      onGpu = await OnGpu.open(network, this.#signal);
      features.push({ network: key, outcome: "measured", compared: await onGpu.compare() });
      const best = bestProduct(this.#report, onGpu.precision)?.rate;
      for (const batch of [...this.#plan.batches].sort((a, b) => a - b)) {
        this.#turn(`Measuring ${name}, ${batch} at once`);
        const row = await onGpu.measure(batch, this.#plan.budget, best);
        if (this.#signal.aborted) return;
        speeds.push(row);
      }
    } catch (error) {
      if (!this.#signal.aborted) features.push({ network: key, outcome: "failed", reason: messageOf(error) });
    } finally {
      await onGpu?.close();
    }
  }

  #turn(what: string): void {
    const { features, peaks, speeds } = this.#report;
    this.#onWork(what, Math.min(1, (features.length + peaks.length + speeds.length) / this.#rows));
  }
}
