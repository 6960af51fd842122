import type { GalleryPhoto } from "webreid";
import { people } from "../app.ts";
import { words } from "../words.ts";

/** Whom a picture shows, as far as that is known. */
export function nameOn({ person }: GalleryPhoto): string {
  if (person === undefined) return words.photos.unknown;
  return people.nameOf(person) ?? words.photos.person(person);
}
