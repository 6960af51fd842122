import type { FineTuneDepth } from "webreid";
import { type Scores, verdict } from "../evaluation.ts";
import { count, duration } from "../messages.ts";
import type { Session } from "../session.ts";
import type { Outcome, Training } from "../training.ts";
import { byId, element, setText } from "./dom.ts";
import { LossChart } from "./loss-chart.ts";
import { saveFile } from "./save-file.ts";

const DEPTHS: readonly FineTuneDepth[] = ["quick", "deeper", "full"];
/** With fewer, one photo more or less right says little. */
const FEW_SEARCHES = 10;

/** Having the model learn from the labelled photos, watching it, and taking it back. */
export class ImprovePanel {
  readonly #session: Session;
  readonly #chart = new LossChart();
  readonly #depths = byId("depths", HTMLFieldSetElement);
  readonly #reason = byId("improve-reason", HTMLParagraphElement);
  readonly #start = byId("improve", HTMLButtonElement);
  readonly #pause = byId("pause", HTMLButtonElement);
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #undo = byId("undo", HTMLButtonElement);
  readonly #result = byId("improve-result", HTMLElement);
  readonly #save = byId("save-model", HTMLButtonElement);
  #rendered: Outcome | string | undefined;

  constructor(session: Session, load: (file: File) => void) {
    this.#session = session;
    this.#start.addEventListener("click", () => void session.improve(this.#depth));
    this.#pause.addEventListener("click", () => {
      if (session.training?.state === "paused") session.resumeTraining();
      else session.pauseTraining();
    });
    this.#stop.addEventListener("click", () => session.cancel());
    this.#undo.addEventListener("click", () => void session.undo());
    this.#save.addEventListener("click", () => void session.exportModel().then((file) => file && saveFile(file)));
    const file = byId("saved-model", HTMLInputElement);
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen) load(chosen);
      file.value = "";
    });
  }

  render(): void {
    const { training, estimate, whyNotImprove, canUndo, model } = this.#session;
    const active = training !== undefined && training.state !== "ended";
    const { activeElement: focused } = document;
    for (const depth of DEPTHS) {
      const expected = estimate?.[depth];
      setText(byId(`${depth}-time`, HTMLSpanElement), expected ? duration(expected.seconds) : "");
    }
    this.#depths.disabled = active || whyNotImprove !== "";
    setText(this.#reason, active ? "" : whyNotImprove);
    this.#reason.hidden = active || whyNotImprove === "";
    this.#start.hidden = active;
    this.#start.disabled = whyNotImprove !== "";
    this.#pause.hidden = !active;
    setText(this.#pause, training?.state === "paused" ? "Resume" : "Pause");
    this.#stop.hidden = !active;
    this.#undo.hidden = !canUndo || active;
    this.#save.disabled = !model;
    this.#chart.render(training?.losses ?? [], training?.last?.steps ?? 0);
    this.#renderResult(training);
    // The keyboard is not left on what has gone.
    if (focused === this.#start && active) this.#pause.focus();
    else if ((focused === this.#pause || focused === this.#stop) && !active) this.#afterTraining();
    else if (focused === this.#undo && !canUndo) this.#start.focus();
  }

  get #depth(): FineTuneDepth {
    const chosen = this.#depths.querySelector<HTMLInputElement>("input:checked");
    return DEPTHS.find((depth) => depth === chosen?.value) ?? "quick";
  }

  #afterTraining(): void {
    (this.#result.hidden ? this.#start : this.#result).focus();
  }

  #renderResult(training: Training | undefined): void {
    const done = training?.state === "ended" && this.#session.canUndo && training.last?.step === training.last?.steps;
    const shown = done ? (training.outcome ?? training.verdict) : undefined;
    this.#result.hidden = !shown;
    if (shown === this.#rendered) return;
    this.#rendered = shown;
    if (!training || !shown) this.#result.replaceChildren();
    else this.#result.replaceChildren(...(training.outcome ? answer(training, training.outcome) : [training.verdict]));
  }
}

function answer(training: Training, { before, after }: Outcome): Node[] {
  const nodes: Node[] = [element("p", {}, element("strong", {}, training.verdict))];
  nodes.push(table(before, after));
  const notes = [`Measured with ${count(after.searches, "photo")} that the model did not learn from.`];
  if (after.searches < FEW_SEARCHES) notes.push("That is few: take it as a hint, and look for yourself.");
  if (verdict(before, after) !== "better") notes.push("“Undo” brings the model before back.");
  nodes.push(element("p", { className: "note" }, notes.join(" ")));
  return nodes;
}

function table(before: Scores, after: Scores): HTMLTableElement {
  const row = (title: string, of: (scores: Scores) => string) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, title),
      element("td", {}, of(before)),
      element("td", {}, of(after)),
    );
  const head = ["On the photos kept aside", "Before", "After"].map((title) => element("th", { scope: "col" }, title));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element(
      "tbody",
      {},
      row("First match is the right person", ({ firstRight, searches }) => `${firstRight} of ${searches}`),
      row("Right matches come before wrong ones", (scores) => `${Math.round(100 * scores.meanAveragePrecision)} %`),
    ),
  );
}
