import { useState } from "preact/hooks";
import { people } from "../app.ts";
import { dragged, drop, hide } from "../sorting.ts";
import { words } from "../words.ts";
import { CropGrid } from "./crop-grid.tsx";
import { openPhoto } from "./photo-of.ts";

/** The pictures that look like nobody else's: left for the user, and not forced upon anybody. */
export function UnsureTray() {
  const [isOver, setOver] = useState(false);
  const photos = people.unsure.value;
  const takes = () => dragged.peek() !== undefined && "photos" in (dragged.peek() ?? {});
  if (photos.length === 0) return null;
  return (
    <section
      id="unsure"
      class={isOver ? "tray over" : "tray"}
      aria-labelledby="unsure-heading"
      onDragOver={(event) => {
        if (!takes()) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        if (!takes()) return;
        event.preventDefault();
        void drop("nobody");
      }}
    >
      <h3 id="unsure-heading">
        {words.groups.unsure} <span class="note">{photos.length}</span>
      </h3>
      <p class="note">{words.groups.unsureText}</p>
      <CropGrid label={words.groups.unsure} photos={photos} open={openPhoto} takeOut={hide} />
    </section>
  );
}
