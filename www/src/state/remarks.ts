import type { GalleryPhoto } from "webreid";
import { words } from "../words.ts";
import type { Source } from "./pile.ts";

/** Under this height clothes are a few dots of colour. */
const TINY = 80;
/** So near to the border, in pixels or as a part of the photo's side, a box touches it. */
const NEAR = { pixels: 2, part: 0.004 } as const;
/** As the package measures quality: the cube of it is size × contrast × sharpness, and size is full from 64×128 pixels on. */
const FULL_SIZE = 64 * 128;
/** Contrast × sharpness of a picture that is blurred by a pixel or two, or four times too dark. */
const DIM = 0.24;
/** From this width on, as a part of the height, a picture shows more, or less, than one person standing. */
const WIDE = 0.9;

/** What of a picture makes a bad match likely, in words; `source`: the photo that it is of, as far as that is at hand. */
export function remarksOn({ box, quality }: GalleryPhoto, source: Source | undefined): string[] {
  const said = words.search.remarks;
  const { width, height } = box ?? { width: source?.width, height: source?.height };
  const remarks: string[] = [];
  if (width === undefined || height === undefined) return remarks;
  if (height < TINY) remarks.push(said.tiny(Math.round(width), Math.round(height)));
  const sides = box && source?.width && source.height ? cutSides(box, source.width, source.height) : [];
  if (sides.length > 0) remarks.push(said.cut(sides.map((side) => said.sides[side])));
  const size = Math.min(1, Math.sqrt((width * height) / FULL_SIZE));
  if (quality !== undefined && quality ** 3 / size < DIM) remarks.push(said.blurred);
  if (width > WIDE * height) remarks.push(said.several);
  return remarks;
}

type Side = keyof typeof words.search.remarks.sides;

function cutSides(
  { x, y, width, height }: NonNullable<GalleryPhoto["box"]>,
  photoWidth: number,
  photoHeight: number,
): Side[] {
  const near = (distance: number, of: number) => distance <= Math.max(NEAR.pixels, NEAR.part * of);
  const distances: readonly (readonly [Side, boolean])[] = [
    ["top", near(y, photoHeight)],
    ["bottom", near(photoHeight - y - height, photoHeight)],
    ["left", near(x, photoWidth)],
    ["right", near(photoWidth - x - width, photoWidth)],
  ];
  return distances.flatMap(([side, isNear]) => (isNear ? [side] : []));
}
