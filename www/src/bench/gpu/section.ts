import { version } from "webreid/package.json";
import { byId, element, setText } from "../dom.ts";
import { handOver } from "../hand-over.ts";
import { runJob } from "../job.ts";
import type { Machine } from "../machine.ts";
import { LARGE } from "../plan.ts";
import { checkGpu } from "./check.ts";
import { askedGpu, BATCHES, CHECKED, type GpuPlan } from "./plan.ts";
import { type GpuReport, isRight } from "./report.ts";
import { featureRow, peakRows, renderAdapter, speedRow } from "./table.ts";

/** The part of the page that checks what the GPU computes, and how fast. */
export class GpuSection {
  readonly #form = byId("gpu-plan", HTMLFormElement);
  readonly #fieldset = byId("gpu-choices", HTMLFieldSetElement);
  readonly #start = byId("gpu-start", HTMLButtonElement);
  readonly #status = byId("status", HTMLParagraphElement);
  readonly #results = byId("gpu-results", HTMLDivElement);
  readonly #json = byId("gpu-json", HTMLScriptElement);
  readonly #asked = askedGpu(location.search);
  readonly #machine: Machine;
  /** Told before it begins, and after it ended: nothing else is to be measured meanwhile. */
  readonly #onBusy: (busy: boolean) => void;

  constructor(machine: Machine, onBusy: (busy: boolean) => void) {
    this.#machine = machine;
    this.#onBusy = onBusy;
    this.#form.hidden = !machine.webgpu;
    const none = byId("gpu-none", HTMLParagraphElement);
    none.hidden = machine.webgpu;
    setText(none, machine.webgpu ? "" : `There is no GPU to check here: ${machine.graphics}`);
    const { networks, images } = this.#asked;
    // Large and slow: unasked only where there is a real GPU for it.
    const emulated = machine.softwareAdapter;
    const choice = (name: string, value: string, title: string, checked: boolean) =>
      element(
        "label",
        { className: "choice" },
        element("input", { type: "checkbox", name, value, checked }),
        element("span", {}, title),
      );
    byId("gpu-networks", HTMLFieldSetElement).append(
      ...CHECKED.map(({ key, name, cost }) =>
        choice("networks", key, name, networks?.includes(key) ?? (cost < LARGE || !emulated)),
      ),
    );
    byId("gpu-images", HTMLFieldSetElement).append(
      ...BATCHES.map(String).map((batch) =>
        choice("images", batch, batch, images?.includes(batch) ?? (Number(batch) <= 8 || !emulated)),
      ),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(this.#plan);
    });
    this.#start.disabled = false;
    handOver("gpu-copy", "gpu-save", "webreid-gpu.json", () => this.#json.textContent);
  }

  /** Begins, where the page's address asks for it. */
  startAsAsked(): void {
    const { unknown, start } = this.#asked;
    if (unknown.length > 0) setText(this.#status, `The address asks for what there is not: ${unknown.join(", ")}.`);
    else if (start && this.#machine.webgpu) void this.#run(this.#plan);
    else if (start) setText(this.#status, `There is no GPU to check here: ${this.#machine.graphics}`);
  }

  /** While something else is measured nothing can be chosen. */
  set disabled(disabled: boolean) {
    this.#fieldset.disabled = disabled;
  }

  get #plan(): GpuPlan {
    const chosen = new FormData(this.#form);
    return {
      networks: CHECKED.filter(({ key }) => chosen.getAll("networks").includes(key)),
      batches: BATCHES.filter((batch) => chosen.getAll("images").includes(String(batch))),
      budget: this.#asked.budget,
    };
  }

  async #run(plan: GpuPlan): Promise<void> {
    const report: GpuReport = {
      webreid: version,
      date: new Date().toISOString(),
      browser: this.#machine.browser,
      state: "running",
      adapter: undefined,
      features: [],
      peaks: [],
      speeds: [],
      conclusion: [],
    };
    this.#onBusy(true);
    this.#results.hidden = false;
    this.#show(report);
    await runJob(async (signal, onWork) => {
      await checkGpu(plan, this.#machine.softwareAdapter, report, signal, (what, share) => {
        onWork(what, share);
        this.#show(report);
      });
      if (report.state === "cancelled") return "Cancelled.";
      return isRight(report) ? "Done: the GPU is checked." : "Done: the GPU computes something wrong.";
    });
    this.#onBusy(false);
    this.#start.focus();
    this.#show(report);
  }

  #show(report: GpuReport): void {
    const { adapter, features, speeds, conclusion } = report;
    renderAdapter(byId("gpu-adapter", HTMLDListElement), adapter);
    fill("gpu-features-table", features.map(featureRow));
    fill("gpu-peaks-table", peakRows(report));
    fill("gpu-speeds-table", speeds.map(speedRow));
    byId("gpu-conclusion", HTMLUListElement).replaceChildren(...conclusion.map((text) => element("li", {}, text)));
    this.#json.textContent = JSON.stringify(report, undefined, 2);
  }
}

function fill(id: string, rows: readonly HTMLTableRowElement[]): void {
  const table = byId(id, HTMLTableElement);
  table.hidden = rows.length === 0;
  table.tBodies[0]?.replaceChildren(...rows);
}
