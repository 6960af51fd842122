import type { Feature } from "webreid";
import type { Photo } from "./photos.ts";

export interface Match {
  readonly photo: Photo;
  /** Cosine, −1…1. */
  readonly similarity: number;
}

/** All other photos that the model has seen, the most alike first. */
export function rank(query: Photo, photos: readonly Photo[], similarity: (a: Feature, b: Feature) => number): Match[] {
  const target = query.feature;
  if (!target) return [];
  return photos
    .flatMap((photo) => {
      if (photo === query || !photo.feature) return [];
      return [{ photo, similarity: similarity(target, photo.feature) }];
    })
    .sort((a, b) => b.similarity - a.similarity);
}

/** The similarity as the page shows it: 0 (nothing alike) to 100 (the same picture). */
export function score(similarity: number): number {
  return Math.max(0, Math.round(similarity * 100));
}
