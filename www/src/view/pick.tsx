import type { GalleryPhoto } from "webreid";
import { selection } from "../app.ts";
import { words } from "../words.ts";
import { Crop } from "./crop.tsx";

/** Somebody's picture, to pick, drag and open. A tick tells those that a user confirmed. */
export function Pick({ photo }: { readonly photo: GalleryPhoto }) {
  const { id, name, confirmed = false, person } = photo;
  const alt = confirmed ? words.groups.sure(name) : person === undefined ? name : words.groups.maybe(name);
  return (
    <button
      type="button"
      class={confirmed ? "pick sure" : "pick"}
      data-photo={id}
      aria-pressed={selection.photos.value.has(id)}
      tabIndex={-1}
      draggable
      title={name}
    >
      <Crop photo={photo} alt={alt} />
    </button>
  );
}
