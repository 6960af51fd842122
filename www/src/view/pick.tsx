import type { GalleryPhoto } from "webreid";
import { selection } from "../app.ts";
import { words } from "../words.ts";
import { Crop } from "./crop.tsx";

/** Somebody's picture, to open, to select by its tick box, and to drag. A mark tells those that a user confirmed. */
export function Pick({ photo }: { readonly photo: GalleryPhoto }) {
  const { id, name, confirmed = false, person } = photo;
  const { groups } = words;
  const isSelected = selection.photos.value.has(id);
  const alt = confirmed ? groups.sure(name) : person === undefined ? name : groups.maybe(name);
  return (
    <div class="pick-frame">
      <button
        type="button"
        class={confirmed ? "pick sure" : "pick"}
        data-photo={id}
        tabIndex={-1}
        draggable
        title={name}
        aria-keyshortcuts="Space"
      >
        <Crop photo={photo} alt={isSelected ? groups.selected(alt) : alt} />
      </button>
      {/* By the keyboard the space bar on the picture does the same. */}
      <input
        type="checkbox"
        class="tick"
        data-photo={id}
        tabIndex={-1}
        aria-label={groups.selectPicture(name)}
        checked={isSelected}
      />
    </div>
  );
}
