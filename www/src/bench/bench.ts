import { messageOf } from "../errors.ts";
import { measureDownload, webreidFiles } from "./downloads.ts";
import { Estimate } from "./estimate.ts";
import { type Comparison, compare, Timing } from "./measure.ts";
import { noiseImages } from "./noise.ts";
import { Onnxruntime } from "./onnxruntime.ts";
import { type Combination, combinations, type Network, type Plan } from "./plan.ts";
import { type Report, type Row, row } from "./report.ts";
import { exportOnnx, type OnnxModel, Webreid } from "./webreid.ts";

/** Before each is loaded: a browser compiles what was loaded before in the background, which is not this one's to pay for. */
const SETTLE_MS = 1000;

export interface Watcher {
  /** What is under way: `share` of all that there is to do, 0…1. */
  onWork(combination: Combination, share: number): void;
  /** The report has a row more, or the downloads. */
  onReport(): void;
}

/** Measures what is planned, one combination after another, into the report. */
export class Bench {
  readonly #plan: Plan;
  readonly #report: Report;
  readonly #signal: AbortSignal;
  readonly #watcher: Watcher;
  readonly #models = new Map<Network, OnnxModel>();
  readonly #estimate = new Estimate();
  /** Addresses of what was downloaded for onnxruntime-web, by setting. */
  readonly #theirs = new Map<string, readonly string[]>();

  constructor(plan: Plan, report: Report, signal: AbortSignal, watcher: Watcher) {
    this.#plan = plan;
    this.#report = report;
    this.#signal = signal;
    this.#watcher = watcher;
  }

  /** Ends early, without an error, when the signal is aborted. */
  async run(): Promise<void> {
    const all = combinations(this.#plan);
    for (const [i, combination] of all.entries()) {
      const onTurn = (share: number) => this.#watcher.onWork(combination, (i + share) / all.length);
      onTurn(0);
      const measured = await this.#row(combination, i % 2 === 0, onTurn);
      if (this.#signal.aborted) break;
      this.#report.rows.push(measured);
      this.#watcher.onReport();
    }
    await this.#downloads().catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
    this.#report.state = this.#signal.aborted ? "cancelled" : "done";
    this.#watcher.onReport();
  }

  async #row(combination: Combination, webreidFirst: boolean, onTurn: (share: number) => void): Promise<Row> {
    const expected = this.#estimate.seconds(combination);
    if (expected !== undefined && expected > this.#plan.budget) {
      return row(combination, { outcome: "skipped", reason: `would take about ${Math.ceil(expected)} s` });
    }
    try {
      const comparison = await this.#compare(combination, webreidFirst, onTurn);
      const { webreid, onnxruntime } = comparison;
      this.#estimate.learn(combination, (webreid.ms + onnxruntime.ms) / 1000 / combination.batch);
      return row(combination, { outcome: "measured", comparison });
    } catch (error) {
      return row(combination, { outcome: "failed", reason: messageOf(error) });
    }
  }

  /**
   * Both are loaded anew for each combination, so that first calls are first calls and memory is only this batch's. Each is
   * called as soon as it is loaded.
   */
  async #compare(
    { network, setting, batch }: Combination,
    webreidFirst: boolean,
    onTurn: (share: number) => void,
  ): Promise<Comparison> {
    const signal = this.#signal;
    const model = await this.#model(network);
    const images = noiseImages(batch, model.width, model.height);
    await settle();
    const webreid = await Webreid.open(network, setting, images, signal);
    let onnxruntime: Onnxruntime | undefined;
    const close = () => {
      webreid.close();
      onnxruntime?.close();
    };
    signal.addEventListener("abort", close);
    try {
      const ours = await Timing.start(webreid);
      await settle();
      onnxruntime = await Onnxruntime.open(model.file, setting, images, signal);
      this.#report.onnxruntimeWeb = onnxruntime.version;
      this.#theirs.set(setting.device === "gpu" ? "WebGPU" : "the CPU", onnxruntime.files);
      const theirs = await Timing.start(onnxruntime);
      return await compare(ours, theirs, batch, { seconds: this.#plan.budget, webreidFirst, onTurn });
    } finally {
      signal.removeEventListener("abort", close);
      close();
    }
  }

  async #model(network: Network): Promise<OnnxModel> {
    const known = this.#models.get(network);
    if (known) return known;
    const model = await exportOnnx(network, this.#signal);
    const { architecture, parameters, width: inputWidth, height: inputHeight } = model;
    this.#models.set(network, model);
    this.#report.networks.push({ key: network.key, architecture, parameters, inputHeight, inputWidth });
    return model;
  }

  async #downloads(): Promise<void> {
    if (this.#theirs.size === 0) return;
    const { downloads } = this.#report;
    downloads.push(await measureDownload("webreid, for either device", webreidFiles(), this.#signal));
    for (const [device, files] of this.#theirs) {
      downloads.push(await measureDownload(`onnxruntime-web, for ${device}`, files, this.#signal));
    }
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
