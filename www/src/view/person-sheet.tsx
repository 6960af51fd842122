import { useEffect } from "preact/hooks";
import type { PersonId } from "webreid";
import { people, selection, sheet } from "../app.ts";
import { confirm, dissolve, hide, labelOf, photosOf, split, takeNameOff } from "../sorting.ts";
import { words } from "../words.ts";
import { Crop } from "./crop.tsx";
import { CropGrid } from "./crop-grid.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { NameField } from "./name-field.tsx";
import { openPhoto } from "./photo-of.ts";
import { SelectionBar } from "./selection-bar.tsx";
import { closeSheet, Sheet } from "./sheet.tsx";
import "../style/people.css";

/** One person with all pictures: those that the user said are right, and those that are only suggested. */
export function PersonSheet({ person: id }: { readonly person: PersonId }) {
  const person = people.byId.value.get(id);
  useEffect(() => {
    // Joined with somebody, or taken apart.
    if (!person) closeSheet();
  }, [person]);
  useEffect(() => {
    selection.clear();
    return () => selection.clear();
  }, []);
  if (!person) return null;
  const { confirmed, suggested, cover, name } = person;
  const photos = photosOf(person);
  const view = cover === undefined ? undefined : people.photos.value.get(cover);
  const text = words.person;
  return (
    <Sheet title={labelOf(id)} isWide>
      <div class="person-top">
        <div class="cover">{view && <Crop photo={view} alt="" isLarge />}</div>
        <div class="person-about">
          <NameField person={id} />
          <div class="row">
            <button
              type="button"
              onClick={() => {
                sheet.value = { is: "search", of: { person: id } };
              }}
            >
              {text.search}
            </button>
            {photos.length > 1 && (
              <button type="button" title={text.splitNote} onClick={() => void split(id)}>
                {text.split}
              </button>
            )}
            <button type="button" title={text.dissolveNote} onClick={() => void dissolve(id)}>
              {text.dissolve}
            </button>
            {photos.length > 0 && (
              <button type="button" title={text.hideNote} onClick={() => void hide(photos)}>
                {text.hideAll}
              </button>
            )}
            {name !== undefined && (
              <button type="button" onClick={() => void takeNameOff(id)}>
                {text.takeNameOff}
              </button>
            )}
          </div>
        </div>
      </div>
      {suggested.length > 0 && (
        <section class="kind" aria-labelledby="suggested-heading">
          <header class="row">
            <h3 id="suggested-heading">{text.suggested(suggested.length)}</h3>
            <span class="note">{text.suggestedText}</span>
            <button type="button" class="primary" onClick={() => void confirm([id])}>
              {text.confirmAll}
            </button>
          </header>
          <CropGrid
            label={text.suggested(suggested.length)}
            photos={suggested}
            open={(photo) => openPhoto(photo, id)}
          />
        </section>
      )}
      {confirmed.length > 0 && (
        <section class="kind" aria-labelledby="confirmed-heading">
          <header class="row">
            <h3 id="confirmed-heading">{text.confirmed(confirmed.length)}</h3>
            <span class="note">{text.confirmedText}</span>
          </header>
          <CropGrid
            label={text.confirmed(confirmed.length)}
            photos={confirmed}
            open={(photo) => openPhoto(photo, id)}
          />
        </section>
      )}
      <SelectionBar />
      <MoveDialog />
    </Sheet>
  );
}
