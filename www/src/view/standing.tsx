import { jobs, people, pile, readAgain, reading } from "../app.ts";
import { words } from "../words.ts";

/** What holds at the moment and may be done about it. */
export function Standing() {
  const waiting = pile.sources.value.filter(({ state, isRemoved }) => state === "waiting" && !isRemoved).length;
  const isBusy = jobs.all.value.some(({ about }) => about === "photos" || about === "model");
  return (
    <>
      {people.isReadOnly.value && <p class="banner">{words.people.readOnly}</p>}
      {people.isOutdated.value && !isBusy && (
        <p class="banner">
          {words.people.outdated}{" "}
          <button type="button" onClick={readAgain}>
            {words.people.readAgain}
          </button>
        </p>
      )}
      {waiting > 0 && !isBusy && !people.isOutdated.value && (
        <p class="banner">
          {reading.stopped.value}{" "}
          <button type="button" onClick={() => void reading.go()}>
            {words.reading.goOn(waiting)}
          </button>
        </p>
      )}
    </>
  );
}
