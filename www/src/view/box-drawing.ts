// How a box on a photo follows a pointer or the arrow keys; all in pixels of the photo.
import type { PersonBox } from "webreid";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const CORNERS = ["nw", "ne", "sw", "se"] as const;
export type Corner = (typeof CORNERS)[number];

/** Of the photo's shorter side: no box is smaller, and one press of a key moves it so far. */
const [SMALLEST, STEP] = [0.01, 0.02];
/** A new box: of the photo's height, and of its own height. */
const NEW = { height: 0.5, proportion: 0.4 } as const;

export function boxInTheMiddle({ width, height }: Size): PersonBox {
  const h = NEW.height * height;
  const w = Math.min(NEW.proportion * h, width);
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

export function between(a: Point, b: Point, photo: Size): PersonBox {
  return clipped({ left: a.x, top: a.y, right: b.x, bottom: b.y }, photo);
}

/** As large as it is, and within the photo. */
export function moved(box: PersonBox, by: Point, photo: Size): PersonBox {
  return {
    ...box,
    x: Math.max(0, Math.min(photo.width - box.width, box.x + by.x)),
    y: Math.max(0, Math.min(photo.height - box.height, box.y + by.y)),
  };
}

export function resized({ x, y, width, height }: PersonBox, corner: Corner, by: Point, photo: Size): PersonBox {
  const sides = { left: x, top: y, right: x + width, bottom: y + height };
  sides[corner.endsWith("w") ? "left" : "right"] += by.x;
  sides[corner.startsWith("n") ? "top" : "bottom"] += by.y;
  return clipped(sides, photo);
}

/** Arrow keys move it, with Shift its right and its lower side; undefined for other keys. */
export function byKey(box: PersonBox, key: string, isResizing: boolean, photo: Size): PersonBox | undefined {
  const step = STEP * Math.min(photo.width, photo.height);
  const by = {
    ArrowLeft: { x: -step, y: 0 },
    ArrowRight: { x: step, y: 0 },
    ArrowUp: { x: 0, y: -step },
    ArrowDown: { x: 0, y: step },
  }[key];
  return by && (isResizing ? resized(box, "se", by, photo) : moved(box, by, photo));
}

export function isLargeEnough({ width, height }: PersonBox, photo: Size): boolean {
  return Math.min(width, height) >= smallest(photo);
}

interface Sides {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Whichever side is which. */
function clipped({ left, top, right, bottom }: Sides, photo: Size): PersonBox {
  const [x, toX] = [left, right].map((side) => Math.max(0, Math.min(photo.width, side))).sort((a, b) => a - b);
  const [y, toY] = [top, bottom].map((side) => Math.max(0, Math.min(photo.height, side))).sort((a, b) => a - b);
  return { x: x ?? 0, y: y ?? 0, width: (toX ?? 0) - (x ?? 0), height: (toY ?? 0) - (y ?? 0) };
}

function smallest(photo: Size): number {
  return SMALLEST * Math.min(photo.width, photo.height);
}
