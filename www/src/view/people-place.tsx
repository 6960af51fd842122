import { useComputed, useSignal } from "@preact/signals";
import { people, sheet } from "../app.ts";
import { remove } from "../sorting.ts";
import { words } from "../words.ts";
import { CropGrid } from "./crop-grid.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { PeopleList } from "./people-list.tsx";
import { openPhoto } from "./photo-of.ts";
import { QuestionCard } from "./question-card.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { Strictness } from "./strictness.tsx";
import { UnsureTray } from "./unsure-tray.tsx";
import "../style/people.css";

/** Everybody, the biggest group first; whom nobody knows; and what helps to sort them. */
export function PeoplePlace() {
  const { groups } = words;
  const hidden = useComputed(() => [...people.photos.value.values()].flatMap(({ id, hidden }) => (hidden ? [id] : [])));
  const isHiddenShown = useSignal(false);
  const { length: count } = people.all.value;
  return (
    <div class="people-place">
      <section class="groups" aria-labelledby="people-heading" aria-busy={people.isBusy.value}>
        <header class="groups-head">
          <h2 id="people-heading" tabIndex={-1}>
            {groups.heading(count, people.visible.value.length)}
          </h2>
          {people.isGrouping.value && <span class="note">{groups.grouping}</span>}
          {people.unsure.value.length > 0 && (
            <a class="button quiet" href="#unsure">
              {groups.unsureCount(people.unsure.value.length)}
            </a>
          )}
          {hidden.value.length > 0 && (
            <button
              type="button"
              class="quiet"
              aria-expanded={isHiddenShown.value}
              onClick={() => {
                isHiddenShown.value = !isHiddenShown.value;
              }}
            >
              {groups.hiddenCount(hidden.value.length)}
            </button>
          )}
        </header>
        {isHiddenShown.value && hidden.value.length > 0 && (
          <section class="tray" aria-labelledby="hidden-heading">
            <h3 id="hidden-heading">{groups.hidden}</h3>
            <p class="note">{groups.hiddenText}</p>
            <CropGrid label={groups.hidden} photos={hidden.value} open={openPhoto} takeOut={remove} />
          </section>
        )}
        {count === 0 && people.unsure.value.length === 0 ? <p class="note">{groups.reading}</p> : <PeopleList />}
        <UnsureTray />
      </section>
      <aside class="helpers">
        <QuestionCard />
        {people.visible.value.length > 1 && <Strictness />}
      </aside>
      {!sheet.value && (
        <>
          <SelectionBar />
          <MoveDialog />
        </>
      )}
    </div>
  );
}
