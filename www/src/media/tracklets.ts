// Who is who from one frame of a video to the next: by where they are and by the colours of what they wear.
import type { DetectedPerson, PersonBox } from "webreid";

/** Missed in so many frames one after the other, somebody who is seen again counts as somebody else. */
const GAP = 3;
/** Of the frames before and after, how much two boxes made wider by half overlap, and how alike the colours are, 0…1. */
const OVERLAP = 0.1;
const LIKENESS = 0.35;
/** Seen in one frame only, somebody must be that sure, 0…1. */
const SURE_ONCE = 0.6;
/** Around a box, as `PersonDetector.crop` has it. */
const MARGIN = 0.05;
/** Higher crops of the same sharpness are not better. */
const HEIGHT = 256;

/** Somebody followed through a video. */
export interface Tracklet {
  /** In seconds: the first and the last time that they were seen. */
  readonly from: number;
  readonly to: number;
  /** The best picture of them. */
  readonly picture: OffscreenCanvas;
}

interface Track {
  from: number;
  to: number;
  /** Number of the frame where they were last. */
  frame: number;
  box: PersonBox;
  /** Pixels that they went from one frame to the next. */
  step: readonly [number, number];
  look: Float32Array;
  best: { readonly worth: number; readonly picture: OffscreenCanvas };
  seen: number;
  score: number;
}

export class Tracklets {
  readonly #tracks: Track[] = [];
  #frame = 0;

  /** The next frame, and who is in it. */
  see(frame: OffscreenCanvas, time: number, people: readonly DetectedPerson[]): void {
    const now = this.#frame++;
    const sightings = people.map(({ box, score }) => ({ box, score, look: coloursOf(frame, box) }));
    const near = this.#tracks.filter((track) => now - track.frame <= GAP);
    const pairs = near
      .flatMap((track) =>
        sightings.map((sighting) => {
          const overlap = overlapOf(expected(track, now), sighting.box);
          const likeness = likenessOf(track.look, sighting.look);
          return { track, sighting, overlap, likeness };
        }),
      )
      .filter(({ overlap, likeness }) => overlap >= OVERLAP && likeness >= LIKENESS)
      .sort((a, b) => b.overlap + b.likeness - (a.overlap + a.likeness));
    const taken = new Set<object>();
    for (const { track, sighting } of pairs) {
      if (taken.has(track) || taken.has(sighting)) continue;
      taken.add(track).add(sighting);
      const { box, score, look } = sighting;
      const frames = now - track.frame;
      track.step = [(box.x - track.box.x) / frames, (box.y - track.box.y) / frames];
      track.look = look;
      track.score = Math.max(track.score, score);
      const worth = worthOf(frame, box, score);
      if (worth > track.best.worth) track.best = { worth, picture: cutOut(frame, box) };
      Object.assign(track, { to: time, frame: now, box, seen: track.seen + 1 });
    }
    for (const sighting of sightings) {
      if (taken.has(sighting)) continue;
      const { box, score, look } = sighting;
      const best = { worth: worthOf(frame, box, score), picture: cutOut(frame, box) };
      this.#tracks.push({ from: time, to: time, frame: now, box, step: [0, 0], look, best, seen: 1, score });
    }
  }

  /** Everybody, in the order in which they came. */
  all(): Tracklet[] {
    return this.#tracks
      .filter(({ seen, score }) => seen > 1 || score >= SURE_ONCE)
      .map(({ from, to, best }) => ({ from, to, picture: best.picture }));
  }
}

/** Where somebody is by now who goes on as before. */
function expected({ box, step: [x, y], frame }: Track, now: number): PersonBox {
  const frames = now - frame;
  return { ...box, x: box.x + x * frames, y: box.y + y * frames };
}

/** Of what two boxes, half again as wide, cover together, how much both do: from one frame to the next people move. */
function overlapOf(a: PersonBox, b: PersonBox): number {
  const wide = ({ x, width, ...box }: PersonBox) => ({ ...box, x: x - width / 4, width: 1.5 * width });
  const [p, q] = [wide(a), wide(b)];
  const width = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
  const height = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (p.width * p.height + q.width * q.height - both);
}

/** How frequent each of 64 colours is in the upper and in the lower half of somebody, without what is beside them. */
function coloursOf(frame: OffscreenCanvas, box: PersonBox): Float32Array {
  const { data, width, height } = pixelsOf(frame, {
    x: box.x + 0.2 * box.width,
    y: box.y + 0.1 * box.height,
    width: 0.6 * box.width,
    height: 0.8 * box.height,
  });
  const counts = new Float32Array(128);
  const share = 1 / (width * height);
  for (let at = 0; at < data.length; at += 4) {
    const half = at / 4 / width < height / 2 ? 0 : 64;
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]];
    const colour = half + 16 * (r >> 6) + 4 * (g >> 6) + (b >> 6);
    counts[colour] = (counts[colour] ?? 0) + share;
  }
  return counts;
}

/** What two have in common, 0…1. */
function likenessOf(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, share, colour) => sum + Math.min(share, b[colour] ?? 0), 0);
}

/** The surer, the larger and the sharper the better; at the border somebody is mostly cut off. */
function worthOf(frame: OffscreenCanvas, box: PersonBox, score: number): number {
  const size = Math.sqrt(Math.min(1, box.height / HEIGHT));
  const isCutOff =
    box.x <= 1 || box.y <= 1 || box.x + box.width >= frame.width - 1 || box.y + box.height >= frame.height - 1;
  const sharpness = sharpnessOf(pixelsOf(frame, box));
  return score * size * (sharpness / (sharpness + 8)) * (isCutOff ? 0.6 : 1);
}

/** How much green differs from the mean of the pixels beside, above and below, on average. */
function sharpnessOf({ data, width, height }: ImageData): number {
  let sum = 0;
  const row = 4 * width;
  const at = (place: number) => data[place] ?? 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const here = y * row + 4 * x + 1;
      sum += Math.abs(at(here) - (at(here - 4) + at(here + 4) + at(here - row) + at(here + row)) / 4);
    }
  }
  return sum / Math.max(1, (width - 2) * (height - 2));
}

function pixelsOf(frame: OffscreenCanvas, box: PersonBox): ImageData {
  const { x, y, width, height } = within(frame, box);
  const context = frame.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  return context.getImageData(x, y, width, height);
}

function cutOut(frame: OffscreenCanvas, box: PersonBox): OffscreenCanvas {
  const { x, y, width, height } = within(frame, {
    x: box.x - MARGIN * box.width,
    y: box.y - MARGIN * box.height,
    width: (1 + 2 * MARGIN) * box.width,
    height: (1 + 2 * MARGIN) * box.height,
  });
  const picture = new OffscreenCanvas(width, height);
  picture.getContext("2d")?.drawImage(frame, x, y, width, height, 0, 0, width, height);
  return picture;
}

/** Whole pixels of the frame; at least one. */
function within(frame: OffscreenCanvas, box: PersonBox): PersonBox {
  const x = Math.min(frame.width - 1, Math.max(0, Math.round(box.x)));
  const y = Math.min(frame.height - 1, Math.max(0, Math.round(box.y)));
  const right = Math.min(frame.width, Math.round(box.x + box.width));
  const bottom = Math.min(frame.height, Math.round(box.y + box.height));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}
