import type { DevicePreference, ModelDescription } from "webreid";
import { modelOf } from "../intake.ts";
import type { ModelFiles, Session } from "../session.ts";
import { byId, setText } from "./dom.ts";

/** Loading a model, what was recognised in it, and the device it runs on. */
export class ModelPanel {
  readonly #session: Session;
  readonly #details = byId("model-details", HTMLDetailsElement);
  readonly #summary = byId("model-summary", HTMLElement);
  readonly #recognised = byId("model-recognised", HTMLParagraphElement);
  readonly #loading = byId("model-loading", HTMLParagraphElement);
  readonly #form = byId("model-form", HTMLDivElement);
  readonly #error = byId("model-error", HTMLParagraphElement);
  readonly #change = byId("change-model", HTMLButtonElement);
  readonly #device = byId("device", HTMLSelectElement);
  readonly #deviceReason = byId("device-reason", HTMLParagraphElement);
  /** The user wants another model although there is one. */
  #changing = false;

  constructor(session: Session) {
    this.#session = session;
    const file = byId("model-file", HTMLInputElement);
    const address = byId("model-url", HTMLInputElement);
    file.addEventListener("change", () => {
      const chosen = modelOf([...(file.files ?? [])]);
      if (chosen) this.load(chosen);
      // Choosing the same file again is to try it again.
      file.value = "";
    });
    byId("built-in-model", HTMLButtonElement).addEventListener("click", () => this.load());
    byId("model-url-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#loadAddress(address.value.trim());
    });
    this.#change.addEventListener("click", () => {
      this.#changing = true;
      this.render();
      file.focus();
    });
    this.#device.value = session.device;
    this.#device.addEventListener("change", () => void session.setDevice(this.#device.value as DevicePreference));
  }

  /** Undefined: the built-in model. */
  load(source?: ModelFiles | URL): void {
    this.#changing = false;
    void this.#session.loadModel(source);
  }

  render(): void {
    const { model, modelName, modelError, deviceReason, job } = this.#session;
    const loading = job?.about === "model";
    const showForm = (!model && !loading) || this.#changing || modelError !== "";
    // The keyboard must not be left on what is about to go.
    const leavesFocus = !showForm && this.#form.contains(document.activeElement);
    this.#form.hidden = !showForm;
    this.#change.hidden = showForm;
    this.#loading.hidden = model !== undefined || !loading;
    if (leavesFocus) this.#change.focus();
    this.#details.hidden = !model;
    setText(this.#summary, model ? `${capitalised(modelName)} is ready: ${model.architecture}` : "");
    setText(this.#recognised, model ? recognised(model) : "");
    this.#error.hidden = modelError === "";
    setText(this.#error, modelError);
    setText(this.#deviceReason, deviceReason);
  }

  #loadAddress(address: string): void {
    const url = URL.canParse(address, location.href) ? new URL(address, location.href) : undefined;
    if (address && url && (url.protocol === "https:" || url.origin === location.origin)) {
      this.load(url);
      return;
    }
    this.#session.modelError = "Type the model’s full address: it starts with https://";
    this.render();
  }
}

/** For those who know the field: what was found in the file, and what was not. */
function recognised({ summary, adapter, inputHeight, inputWidth, ...model }: ModelDescription): string {
  const listed = (title: string, names: readonly string[]) =>
    names.length > 0 ? ` ${title}: ${names.join(", ")}.` : "";
  return (
    `${summary} Photos are resized to ${inputWidth}×${inputHeight} pixels. Computed on: ${adapter}.` +
    model.assumed.map((word) => ` ${word}`).join("") +
    listed("Not in the file", model.missing) +
    listed("In the file but not used", model.unexpected)
  );
}

function capitalised(name: string): string {
  return name.replace(/^the /, "The ");
}
