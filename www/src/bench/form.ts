import { byId, element, setText } from "./dom.ts";
import type { Machine } from "./machine.ts";
import { type Asked, BATCHES, LARGE, NETWORKS, type Plan, SETTINGS, type Setting } from "./plan.ts";

interface Choice {
  readonly key: string;
  readonly name: string;
  readonly checked: boolean;
  /** Why it cannot be chosen. */
  readonly reason?: string | undefined;
}

/** What is to be measured, for the user to choose. */
export class PlanForm {
  readonly #form = byId("plan", HTMLFormElement);
  readonly #fieldset = byId("choices", HTMLFieldSetElement);
  readonly #start = byId("start", HTMLButtonElement);
  readonly #reason = byId("plan-reason", HTMLParagraphElement);
  readonly #budget: number;

  constructor(machine: Machine, asked: Asked, start: (plan: Plan) => void) {
    this.#budget = asked.budget;
    const emulated = !machine.webgpu || machine.softwareAdapter;
    this.#fill(
      "networks",
      NETWORKS.map(({ key, name, cost }) => {
        // Large and slow: unasked only where there is a real GPU for it.
        const fit = cost < LARGE || !emulated;
        return { key, name, checked: asked.networks?.includes(key) ?? fit };
      }),
    );
    this.#fill(
      "batch",
      BATCHES.map((batch) => {
        const fit = batch <= 8 || !emulated;
        return { key: String(batch), name: String(batch), checked: asked.batch?.includes(String(batch)) ?? fit };
      }),
    );
    this.#fill(
      "on",
      SETTINGS.map((setting) => {
        const fit = emulated === (setting.device === "cpu");
        const reason = whyNot(setting, machine);
        return { key: setting.key, name: setting.name, checked: asked.on?.includes(setting.key) ?? fit, reason };
      }),
    );
    this.#form.addEventListener("change", () => this.#check());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.complete) start(this.plan);
    });
    this.#check();
  }

  get plan(): Plan {
    return {
      networks: NETWORKS.filter(({ key }) => this.#chosen("networks", key)),
      batches: BATCHES.filter((batch) => this.#chosen("batch", String(batch))),
      settings: SETTINGS.filter(({ key }) => this.#chosen("on", key)),
      budget: this.#budget,
    };
  }

  /** There is something to measure. */
  get complete(): boolean {
    const { networks, batches, settings } = this.plan;
    return [networks, batches, settings].every((chosen) => chosen.length > 0);
  }

  /** While it is being measured nothing can be chosen. */
  set running(running: boolean) {
    this.disabled = running;
    if (!running) this.#start.focus();
  }

  /** While something else is measured nothing can be chosen either. */
  set disabled(disabled: boolean) {
    this.#fieldset.disabled = disabled;
  }

  #check(): void {
    this.#start.disabled = !this.complete;
    setText(this.#reason, this.complete ? "" : "Choose at least one network, one batch size, and what they run on.");
  }

  #chosen(name: string, key: string): boolean {
    return this.#form.querySelector(`input[name="${name}"][value="${key}"]:checked:enabled`) !== null;
  }

  #fill(name: string, choices: readonly Choice[]): void {
    byId(name, HTMLFieldSetElement).append(
      ...choices.map(({ key, name: title, checked, reason }) => {
        const disabled = reason !== undefined;
        const input = element("input", { type: "checkbox", name, value: key, checked: checked && !disabled, disabled });
        const note = reason ? [element("span", { className: "note" }, reason)] : [];
        return element("label", { className: "choice" }, input, element("span", {}, title, ...note));
      }),
    );
  }
}

/** Why a setting cannot be had here; undefined where it can. */
export function whyNot(
  { device, threads }: Setting,
  { webgpu, graphics, isolated, cores }: Machine,
): string | undefined {
  if (device === "gpu") return webgpu ? undefined : `Not here: ${graphics}`;
  if (threads > cores) return "Not here: the processor has one thread.";
  if (threads === 1 || isolated) return undefined;
  return "Not here: this server does not isolate the page (COOP and COEP headers), and without that onnxruntime-web has one thread.";
}
