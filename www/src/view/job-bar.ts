import type { Session } from "../session.ts";
import { byId, setText } from "./dom.ts";

/** The foot of the window: the work under way with its cancel button, and what was last worth saying. */
export class JobBar {
  readonly #session: Session;
  readonly #work = byId("job-work", HTMLDivElement);
  readonly #label = byId("job-label", HTMLParagraphElement);
  readonly #progress = byId("job-progress", HTMLProgressElement);
  readonly #status = byId("status", HTMLParagraphElement);

  constructor(session: Session) {
    this.#session = session;
    byId("cancel", HTMLButtonElement).addEventListener("click", () => session.cancel());
  }

  render(): void {
    const { job, status } = this.#session;
    this.#work.hidden = !job;
    setText(this.#label, job?.label ?? "");
    if (job?.fraction === undefined) this.#progress.removeAttribute("value");
    else this.#progress.value = job.fraction;
    setText(this.#status, status);
  }
}
