import { useEffect } from "preact/hooks";
import { people, selection } from "../app.ts";
import { confirm, dragged, drop, hide, join, move, photosOf, release, remove, showBy } from "../sorting.ts";
import { words } from "../words.ts";
import { startMove } from "./move-dialog.tsx";

/** At the foot while something is picked: what can be done with it. While it is dragged, where else it can go. */
export function SelectionBar() {
  const isThere = !selection.isEmpty;
  useEffect(() => {
    if (!isThere) return undefined;
    const onKey = (event: KeyboardEvent) => {
      const isFree = !event.defaultPrevented && !selection.isEmpty && !document.querySelector("dialog.ask[open]");
      if (event.key === "Escape" && isFree) {
        event.preventDefault();
        selection.clear();
      }
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      // Whoever pressed a button of it goes on where they were.
      setTimeout(() => {
        if (document.activeElement === document.body)
          document.querySelector<HTMLElement>(".pick[tabindex='0'], #people-heading")?.focus({ preventScroll: true });
      });
    };
  }, [isThere]);
  if (!isThere) return null;
  const what = dragged.value;
  return (
    <section class={selection.photos.value.size > 0 ? "picks of-photos" : "picks"} aria-label={words.picks.bar}>
      {what && "photos" in what ? <Dock /> : selection.people.value.size > 0 ? <PeopleBar /> : <PhotosBar />}
    </section>
  );
}

function Dock() {
  return (
    <>
      {(["new", "nobody"] as const).map((place) => (
        <p
          key={place}
          class="dock"
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            void drop(place);
          }}
        >
          {place === "new" ? words.picks.newPersonHere : words.picks.nobodyHere}
        </p>
      ))}
    </>
  );
}

function PhotosBar() {
  const ids = [...selection.photos.value];
  const views = ids.flatMap((id) => people.photos.value.get(id) ?? []);
  const ofSomebody = new Set(views.flatMap(({ person }) => person ?? []));
  const areHidden = views.every(({ hidden }) => hidden);
  const isSuggested = views.some(({ person, confirmed }) => person !== undefined && !confirmed);
  const [only] = views.length === 1 ? views : [];
  const { picks } = words;
  return (
    <>
      <strong>{picks.photos(ids.length)}</strong>
      {areHidden ? (
        <button type="button" class="primary" onClick={() => void hide(ids, false)}>
          {picks.show}
        </button>
      ) : (
        <>
          <button type="button" class="primary" aria-keyshortcuts="M" onClick={() => startMove(ids)}>
            {picks.move}
          </button>
          <button type="button" onClick={() => void move(ids, "new")}>
            {picks.newPerson}
          </button>
          {isSuggested && (
            <button type="button" onClick={() => void confirm([...ofSomebody], ids)}>
              {picks.confirm}
            </button>
          )}
          {ofSomebody.size > 0 && (
            <button type="button" onClick={() => void release(ids)}>
              {picks.release}
            </button>
          )}
          {only?.person !== undefined && people.byId.value.get(only.person)?.cover !== only.id && (
            <button type="button" onClick={() => void showBy(only.person as number, only.id)}>
              {picks.cover}
            </button>
          )}
          <button type="button" onClick={() => void hide(ids)}>
            {picks.hide}
          </button>
        </>
      )}
      <button type="button" onClick={() => void remove(ids)}>
        {picks.remove}
      </button>
      <Clear />
    </>
  );
}

function PeopleBar() {
  const ids = [...selection.people.value];
  const all = ids.flatMap((id) => people.byId.value.get(id) ?? []);
  const { picks } = words;
  return (
    <>
      <strong>{picks.people(ids.length)}</strong>
      {ids.length > 1 && (
        <button type="button" class="primary" onClick={() => void join(ids)}>
          {picks.join}
        </button>
      )}
      {all.some(({ suggested }) => suggested.length > 0) && (
        <button type="button" onClick={() => void confirm(ids)}>
          {picks.confirmAll}
        </button>
      )}
      <button type="button" onClick={() => void hide(all.flatMap(photosOf))}>
        {picks.hide}
      </button>
      <Clear />
    </>
  );
}

function Clear() {
  return (
    <button type="button" class="icon quiet" aria-label={words.picks.clear} onClick={() => selection.clear()}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="m4 4 8 8m0-8-8 8" />
      </svg>
    </button>
  );
}
