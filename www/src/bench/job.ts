// The foot of the page while something is measured: what, how far it is, and the button that ends it.
import { messageOf } from "../errors.ts";
import { byId, setText } from "./dom.ts";

export type OnWork = (what: string, share: number) => void;

/** Runs `measure` with the progress in sight. It says in the end how it went; what it throws is told. */
export async function runJob(measure: (signal: AbortSignal, onWork: OnWork) => Promise<string>): Promise<void> {
  const status = byId("status", HTMLParagraphElement);
  const work = byId("job-work", HTMLDivElement);
  const label = byId("job-label", HTMLParagraphElement);
  const progress = byId("job-progress", HTMLProgressElement);
  const cancel = byId("cancel", HTMLButtonElement);
  const abort = new AbortController();
  const onCancel = () => abort.abort();
  work.hidden = false;
  cancel.addEventListener("click", onCancel);
  cancel.focus();
  try {
    const end = await measure(abort.signal, (what, share) => {
      setText(status, `${what} …`);
      setText(label, `${what} …`);
      progress.value = share;
    });
    setText(status, end);
  } catch (error) {
    setText(status, `The benchmark failed: ${messageOf(error)}`);
  } finally {
    cancel.removeEventListener("click", onCancel);
    work.hidden = true;
  }
}
