import { count } from "../../words.ts";
import { byId, element, setText } from "../dom.ts";
import { whyNot } from "../form.ts";
import { runJob } from "../job.ts";
import type { Machine } from "../machine.ts";
import { SETTINGS, type Setting } from "../plan.ts";
import { detectAll } from "./measure.ts";
import { askedDetection, PHOTO } from "./plan.ts";
import type { DetectionReport, DetectionRow } from "./report.ts";

const COLUMNS = 5;

/** The part of the page that measures how fast people are found on photos. */
export class DetectionSection {
  readonly #form = byId("detect-plan", HTMLFormElement);
  readonly #fieldset = byId("detect-choices", HTMLFieldSetElement);
  readonly #start = byId("detect-start", HTMLButtonElement);
  readonly #reason = byId("detect-reason", HTMLParagraphElement);
  readonly #status = byId("status", HTMLParagraphElement);
  readonly #table = byId("detect-table", HTMLTableElement);
  readonly #json = byId("detect-json", HTMLScriptElement);
  readonly #asked = askedDetection(location.search);
  /** Told before it begins, and after it ended: nothing else is to be measured meanwhile. */
  readonly #onBusy: (busy: boolean) => void;

  constructor(machine: Machine, onBusy: (busy: boolean) => void) {
    this.#onBusy = onBusy;
    const { settings } = this.#asked;
    byId("detect-on", HTMLFieldSetElement).append(
      ...SETTINGS.map((setting) => {
        const reason = whyNot(setting, machine);
        const checked = !reason && (settings?.includes(setting) ?? setting.device === "cpu");
        return element(
          "label",
          { className: "choice" },
          element("input", {
            type: "checkbox",
            name: "on",
            value: setting.key,
            checked,
            disabled: reason !== undefined,
          }),
          element("span", {}, reason ? `${setting.name}: ${reason}` : setting.name),
        );
      }),
    );
    this.#form.addEventListener("change", () => this.#check());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(this.#settings);
    });
    this.#check();
  }

  /** Begins, where the page's address asks for it. */
  startAsAsked(): void {
    const { unknown, start } = this.#asked;
    if (unknown.length > 0) setText(this.#status, `The address asks for what there is not: ${unknown.join(", ")}.`);
    else if (start && !this.#start.disabled) void this.#run(this.#settings);
  }

  /** While something else is measured nothing can be chosen. */
  set disabled(disabled: boolean) {
    this.#fieldset.disabled = disabled;
  }

  get #settings(): readonly Setting[] {
    const chosen = new FormData(this.#form).getAll("on");
    return SETTINGS.filter(({ key }) => chosen.includes(key));
  }

  #check(): void {
    this.#start.disabled = this.#settings.length === 0;
    setText(this.#reason, this.#start.disabled ? "Choose at least one to look on." : "");
  }

  async #run(settings: readonly Setting[]): Promise<void> {
    const report: DetectionReport = { state: "running", photo: PHOTO, rows: [] };
    this.#onBusy(true);
    this.disabled = true;
    this.#show(report);
    await runJob(async (signal, onWork) => {
      await detectAll(settings, report, signal, (what, share) => {
        onWork(what, share);
        this.#show(report);
      });
      const ended = report.state === "cancelled" ? "Cancelled" : "Done";
      const measured = report.rows.filter(({ outcome }) => outcome === "measured").length;
      return `${ended}: ${count(measured, "setting")} measured.`;
    });
    this.disabled = false;
    this.#onBusy(false);
    this.#start.focus();
    this.#show(report);
  }

  #show(report: DetectionReport): void {
    this.#table.hidden = report.rows.length === 0;
    this.#table.tBodies[0]?.replaceChildren(...report.rows.map(tableRow));
    this.#json.textContent = JSON.stringify(report, undefined, 2);
  }
}

function tableRow({ name, reason, webreid, tfjs, ratio }: DetectionRow): HTMLTableRowElement {
  const head = element("th", { scope: "row" }, name);
  if (!webreid || !tfjs) return element("tr", {}, head, element("td", { colSpan: COLUMNS }, `failed: ${reason}`));
  const cells = [
    webreid.photosPerSecond.toFixed(2),
    tfjs.photosPerSecond.toFixed(2),
    ratio?.toFixed(2) ?? "–",
    `${webreid.firstMs.toFixed(0)} ms`,
    `${tfjs.firstMs.toFixed(0)} ms`,
  ];
  return element("tr", {}, head, ...cells.map((text) => element("td", {}, text)));
}
