// Whether a picture shows one person, cut out already, or is a photo to find people in.
import type { PersonBox } from "webreid";

interface Size {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Crops as cameras and data sets give them: narrow, and no higher than this, in pixels. A photo of a phone is far larger. */
const CROP = { proportion: 1.5, height: 400 } as const;
/** Of the pictures so many are crops, and at least so many are there: then small ones among them that are wider are crops too. */
const PILE = { share: 0.8, count: 5 } as const;
/** Narrower than what phones take (16 to 9), and smaller: where nobody is found on it, it is somebody's picture all the same. */
const NARROW = { proportion: 1.9, pixels: 3_000_000 } as const;
/** So much of a narrow picture one person fills whose crop it is. */
const FILLED = 0.6;

/** By its size alone: nobody has to be looked for in it. */
export function isCropBySize({ width = 0, height = 0 }: Size): boolean {
  return height >= CROP.proportion * width && height <= CROP.height;
}

/** By the pictures that came with it. */
export function isCropByPile({ width = 0, height = 0 }: Size, pile: readonly Size[]): boolean {
  if (Math.max(width, height) > CROP.height || pile.length < PILE.count) return false;
  return pile.filter(isCropBySize).length >= PILE.share * pile.length;
}

/** By who was found on it, the best first. */
export function isCropByPeople({ width = 0, height = 0 }: Size, [best, ...others]: readonly PersonBox[]): boolean {
  const isNarrow = height >= NARROW.proportion * width && width * height <= NARROW.pixels;
  if (!best) return isNarrow;
  const isFilled = best.width * best.height >= FILLED * width * height;
  return isFilled && (isNarrow || (others.length === 0 && height >= CROP.proportion * width));
}
