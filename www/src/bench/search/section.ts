import { count, megabytes } from "../../words.ts";
import { byId, element, setText } from "../dom.ts";
import { runJob } from "../job.ts";
import { searchAll } from "./measure.ts";
import { askedSearch, DIM, QUERIES, SEARCHERS, type SearchPlan, SIZES, TOP } from "./plan.ts";
import type { SearchReport, SearchRow } from "./report.ts";

const COLUMNS = 7;

/** The part of the page that measures searches among many features. */
export class SearchSection {
  readonly #form = byId("search-plan", HTMLFormElement);
  readonly #fieldset = byId("search-choices", HTMLFieldSetElement);
  readonly #start = byId("search-start", HTMLButtonElement);
  readonly #reason = byId("search-reason", HTMLParagraphElement);
  readonly #status = byId("status", HTMLParagraphElement);
  readonly #table = byId("search-table", HTMLTableElement);
  readonly #json = byId("search-json", HTMLScriptElement);
  readonly #asked = askedSearch(location.search);
  /** Told before it begins, and after it ended: nothing else is to be measured meanwhile. */
  readonly #onBusy: (busy: boolean) => void;

  constructor(onBusy: (busy: boolean) => void) {
    this.#onBusy = onBusy;
    const choice = (type: "checkbox" | "radio", name: string, value: string, title: string, checked: boolean) =>
      element(
        "label",
        { className: "choice" },
        element("input", { type, name, value, checked }),
        element("span", {}, title),
      );
    const { searchers, features } = this.#asked;
    byId("searchers", HTMLFieldSetElement).append(
      ...SEARCHERS.map((searcher) =>
        choice("checkbox", "searchers", searcher.key, searcher.name, searchers.includes(searcher)),
      ),
    );
    byId("features", HTMLFieldSetElement).append(
      ...SIZES.map((size) => choice("radio", "features", String(size), size.toLocaleString("en"), size === features)),
    );
    this.#form.addEventListener("change", () => this.#check());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(this.#plan);
    });
    this.#check();
  }

  /** Begins, where the page's address asks for it. */
  startAsAsked(): void {
    const { unknown, start } = this.#asked;
    if (unknown.length > 0) setText(this.#status, `The address asks for what there is not: ${unknown.join(", ")}.`);
    else if (start && !this.#start.disabled) void this.#run(this.#plan);
  }

  /** While something else is measured nothing can be chosen. */
  set disabled(disabled: boolean) {
    this.#fieldset.disabled = disabled;
  }

  get #plan(): SearchPlan {
    const chosen = new FormData(this.#form);
    return {
      searchers: SEARCHERS.filter(({ key }) => chosen.getAll("searchers").includes(key)),
      features: Number(chosen.get("features")),
      build: this.#asked.build,
    };
  }

  #check(): void {
    this.#start.disabled = this.#plan.searchers.length === 0;
    setText(this.#reason, this.#start.disabled ? "Choose at least one to search with." : "");
  }

  async #run(plan: SearchPlan): Promise<void> {
    const { features } = plan;
    const report: SearchReport = { state: "running", features, dim: DIM, queries: QUERIES, top: TOP, rows: [] };
    this.#onBusy(true);
    this.disabled = true;
    this.#show(report);
    await runJob(async (signal, onWork) => {
      await searchAll(plan, report, signal, (what, share) => {
        onWork(what, share);
        this.#show(report);
      });
      const ended = report.state === "cancelled" ? "Cancelled" : "Done";
      const measured = report.rows.filter(({ outcome }) => outcome === "measured").length;
      return `${ended}: ${count(measured, "searcher")} measured.`;
    });
    this.disabled = false;
    this.#onBusy(false);
    this.#start.focus();
    this.#show(report);
  }

  #show(report: SearchReport): void {
    this.#table.hidden = report.rows.length === 0;
    this.#table.tBodies[0]?.replaceChildren(...report.rows.map((row) => tableRow(row, report)));
    this.#json.textContent = JSON.stringify(report, undefined, 2);
  }
}

function tableRow({ name, searched, reason }: SearchRow, { features }: SearchReport): HTMLTableRowElement {
  const head = element("th", { scope: "row" }, name);
  if (!searched) return element("tr", {}, head, element("td", { colSpan: COLUMNS }, `failed: ${reason}`));
  const { held, buildMs, bytes, ms, batchMs, recall, effort } = searched;
  const cells = [
    held === features ? "all" : `${held.toLocaleString("en")}, then time was up`,
    `${(buildMs / 1000).toFixed(1)} s`,
    megabytes(bytes),
    ms.toFixed(2),
    batchMs?.toFixed(2) ?? "–",
    recall.toFixed(3),
    effort ? String(effort) : "–",
  ];
  return element("tr", {}, head, ...cells.map((text) => element("td", {}, text)));
}
