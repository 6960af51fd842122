import { rank as rankFeatures } from "webreid";
import type { Photo } from "./photos.ts";

export interface Match {
  readonly photo: Photo;
  /** Cosine, −1…1. */
  readonly similarity: number;
}

/** All other photos that the model has seen, the most alike first. */
export function rank(query: Photo, photos: readonly Photo[]): Match[] {
  if (!query.feature) return [];
  const others = photos.filter((photo) => photo !== query);
  const matches = rankFeatures(
    query.feature,
    others.map(({ feature }) => feature),
  );
  return matches.map(({ index, similarity }) => ({ photo: others[index] as Photo, similarity }));
}

/** The similarity as the page shows it: 0 (nothing alike) to 100 (the same picture). */
export function score(similarity: number): number {
  return Math.max(0, Math.round(similarity * 100));
}
