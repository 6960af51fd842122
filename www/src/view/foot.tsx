import { jobs } from "../app.ts";
import { JobBar } from "./job-bar.tsx";
import { Status, Toasts } from "./notices.tsx";

/** What was done and what goes on. It is part of the sheet that is open: nothing outside of that can be reached. */
export function Foot() {
  return (
    <div class="foot">
      <Toasts />
      <JobBar jobs={jobs} />
      <Status />
    </div>
  );
}
