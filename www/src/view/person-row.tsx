import { useState } from "preact/hooks";
import type { GalleryPerson } from "webreid";
import { people, selection } from "../app.ts";
import { confirm, dragged, drop, labelOf, photosOf } from "../sorting.ts";
import { words } from "../words.ts";
import { NameField } from "./name-field.tsx";
import { openPerson } from "./people-list.tsx";
import { Pick } from "./pick.tsx";

interface Props {
  readonly person: GalleryPerson;
  readonly index: number;
  /** How many rows there are. */
  readonly of: number;
  /** In pixels. */
  readonly top: number;
  /** So many pictures fit. */
  readonly slots: number;
  /** All rows, in order. */
  readonly all: readonly GalleryPerson[];
  readonly measure: (row: HTMLElement | null) => void;
}

/** Somebody: the name, how many pictures, and as many of them as fit. */
export function PersonRow({ person, index, of, top, slots, all, measure }: Props) {
  const [isOver, setOver] = useState(false);
  const { groups } = words;
  const { id, suggested } = person;
  const photos = photosOf(person);
  const label = labelOf(id);
  const shown = photos.length > slots ? photos.slice(0, slots - 1) : photos;
  const isPicked = selection.people.value.has(id);
  const open = () => openPerson(id);
  const takes = () => {
    const what = dragged.peek();
    return what !== undefined && !("person" in what && what.person === id);
  };
  return (
    <li
      ref={measure}
      class={`person${isPicked ? " picked" : ""}${isOver ? " over" : ""}`}
      data-index={index}
      data-person={id}
      aria-setsize={of}
      aria-posinset={index + 1}
      style={{ transform: `translateY(${top}px)` }}
      onDragOver={(event) => {
        if (!takes()) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        if (!takes()) return;
        event.preventDefault();
        void drop({ person: id });
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: rows are joined by the keyboard as well: select and join */}
      <div
        class="person-head"
        draggable
        onDragStart={(event) => {
          if (event.target instanceof HTMLInputElement) return event.preventDefault();
          event.dataTransfer?.setData("text/plain", label);
          setTimeout(() => {
            dragged.value = { person: id };
          });
        }}
        onDragEnd={() => {
          dragged.value = undefined;
        }}
      >
        <label class="check" title={groups.select(label)}>
          <input
            type="checkbox"
            aria-label={groups.select(label)}
            checked={isPicked}
            onClick={(event) => {
              if (event.shiftKey)
                selection.extendPeople(
                  id,
                  all.map(({ id }) => id),
                );
              else selection.togglePerson(id);
              // What it shows follows the selection.
              event.currentTarget.checked = selection.people.peek().has(id);
            }}
          />
        </label>
        <div class="person-who">
          <NameField person={id} />
          <div class="person-tools">
            <button type="button" class="quiet" aria-label={groups.open(label, photos.length)} onClick={open}>
              {photos.length === 0 ? groups.none : groups.pictures(photos.length)}
            </button>
            {suggested.length > 0 && (
              <button
                type="button"
                class="quiet"
                aria-label={groups.confirmOf(label, suggested.length)}
                onClick={() => void confirm([id])}
              >
                <svg viewBox="0 0 16 16" aria-hidden="true">
                  <path d="m3 8.5 3.5 3.5L13 5" />
                </svg>
                {groups.confirm}
              </button>
            )}
          </div>
        </div>
      </div>
      <ul class="strip" aria-label={groups.picturesOf(label)}>
        {shown.map((photo) => {
          const view = people.photos.value.get(photo);
          return (
            view && (
              <li key={photo}>
                <Pick photo={view} />
              </li>
            )
          );
        })}
        {shown.length < photos.length && (
          <li>
            <button type="button" class="more" aria-label={groups.open(label, photos.length)} onClick={open}>
              {groups.more(photos.length - shown.length)}
            </button>
          </li>
        )}
      </ul>
    </li>
  );
}
