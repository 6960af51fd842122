import type { About, Jobs } from "../state/jobs.ts";
import { words } from "../words.ts";

/** Work under way, each with a way to stop it. */
export function JobBar({ jobs }: { readonly jobs: Jobs }) {
  const all = jobs.all.value;
  if (all.length === 0) return null;
  return (
    <section class="jobs" aria-label={words.app.progress}>
      {all.map(({ about, label, fraction }) => (
        <div key={about} class="job">
          <label for={`job-${about}`}>{label}</label>
          <progress id={`job-${about}`} {...(fraction !== undefined && { value: fraction })} />
          <Cancel jobs={jobs} about={about} />
        </div>
      ))}
    </section>
  );
}

function Cancel({ jobs, about }: { readonly jobs: Jobs; readonly about: About }) {
  return (
    <button type="button" onClick={() => jobs.cancel(about)}>
      {words.app.cancel}
    </button>
  );
}
