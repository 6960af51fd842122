import type { PersonId, PhotoId } from "webreid";
import { notices, people, pile, sheet } from "../app.ts";
import { words } from "../words.ts";

/** Shows the photo that somebody was found on, where it is at hand; closed, it leads back to the person it was opened `from`. */
export function openPhoto(id: PhotoId, from?: PersonId): void {
  const view = people.photos.peek().get(id);
  const source = view && pile.ofHash(view.hash);
  if (source) sheet.value = { is: "photo", source: source.id, from };
  else notices.toast(words.groups.notHere);
}
