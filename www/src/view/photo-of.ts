import type { PhotoId } from "webreid";
import { people, pile, sheet } from "../app.ts";

/** Shows the photo that somebody was found on, where it is at hand. */
export function openPhoto(id: PhotoId): void {
  const view = people.photos.peek().get(id);
  const source = view && pile.ofHash(view.hash);
  if (source) sheet.value = { is: "photo", source: source.id };
}
