import { addSamples, SAMPLES_BYTES } from "../samples.ts";
import { megabytes, words } from "../words.ts";
import { AddFolder, AddPhotos } from "./add-photos.tsx";
import { Outcome } from "./outcome.tsx";

/** Before there are photos: one thing to do, and what comes of it. */
export function Welcome() {
  const { heading, lead, choosePhotos, samples } = words.welcome;
  return (
    <section class="welcome" aria-labelledby="welcome-heading">
      <div class="drop-here">
        <h2 id="welcome-heading">{heading}</h2>
        <p>{lead}</p>
        <div class="row">
          <AddPhotos label={choosePhotos} isPrimary />
          <AddFolder />
          <button type="button" onClick={() => void addSamples()}>
            {samples(megabytes(SAMPLES_BYTES))}
          </button>
        </div>
      </div>
      <Outcome />
    </section>
  );
}
