import { crc32, deflateSync } from "node:zlib";
import type { FilePayload } from "./files.ts";

type Colour = readonly [red: number, green: number, blue: number];

/** What a painted person wears, from the head down. */
export interface Clothes {
  readonly top: Colour;
  readonly legs: Colour;
}

/** A crude person in front of a wall; the same clothes with another `seed` are another photo of the same person. */
export function person(name: string, { top, legs }: Clothes, seed: number, width = 64, height = 128): FilePayload {
  const random = randomNumbers(seed);
  const wall = 150 + 40 * random();
  const centre = width * (0.45 + 0.1 * random());
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const off = Math.abs(x - centre) / width;
      const down = y / height;
      const part = bodyPart(off, down, top, legs) ?? [wall, wall, wall];
      const at = y * (1 + 3 * width) + 1 + 3 * x;
      for (const [channel, value] of part.entries())
        rows[at + channel] = Math.max(0, Math.min(255, value + 16 * random()));
    }
  }
  return png(name, width, height, { bitDepth: 8, colourType: 2 }, rows);
}

function bodyPart(off: number, down: number, top: Colour, legs: Colour): Colour | undefined {
  if (down < 0.15) return off < 0.12 ? [205, 165, 140] : undefined;
  if (down < 0.55) return off < 0.28 ? top : undefined;
  return off < 0.2 && off > 0.02 ? legs : undefined;
}

/** `[left, top, side, how red of 255]` */
export type RedSquare = readonly [number, number, number, number];

/**
 * A grey photo with red squares, which the red detector takes for people: in a photo of 128×128 pixels `[32, 48, 16, 255]` is
 * somebody in the box `{ x: 28, y: 32, width: 24, height: 48 }`.
 */
export function scene(name: string, squares: readonly RedSquare[], width = 128, height = 128): FilePayload {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const square = squares.find(([left, top, side]) => x >= left && x < left + side && y >= top && y < top + side);
      const at = y * (1 + 3 * width) + 1 + 3 * x;
      for (const [channel, value] of (square ? [square[3], 0, 0] : [128, 128, 128]).entries())
        rows[at + channel] = value;
    }
  }
  return png(name, width, height, { bitDepth: 8, colourType: 2 }, rows);
}

/** One colour, one bit a pixel: a small file however many pixels. */
export function blank(name: string, width: number, height: number): FilePayload {
  return png(name, width, height, { bitDepth: 1, colourType: 0 }, Buffer.alloc(height * (1 + Math.ceil(width / 8))));
}

function png(
  name: string,
  width: number,
  height: number,
  { bitDepth, colourType }: { bitDepth: number; colourType: number },
  rows: Buffer,
): FilePayload {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(bitDepth, 8);
  header.writeUInt8(colourType, 9);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const buffer = Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
  return { name, mimeType: "image/png", buffer };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Repeatable numbers in 0…1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
