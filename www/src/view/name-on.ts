import type { GalleryPhoto } from "webreid";
import { labelOf } from "../sorting.ts";
import { words } from "../words.ts";

/** Whom a picture shows, as far as that is known. */
export function nameOn({ person }: GalleryPhoto): string {
  if (person === undefined) return words.photos.unknown;
  return labelOf(person);
}
