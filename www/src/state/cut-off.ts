import { signal } from "@preact/signals";
import type { GalleryPhoto, Judgement, PersonId } from "webreid";
import type { People } from "./people.ts";
import type { Band } from "./search.ts";

/** What was found for a model. */
export interface KeptCutOff {
  /** The likeness (cosine) that hardly any pair of two people reaches: one in a hundred. */
  readonly same: number;
  /** That hardly any pair of one person stays below: one in twenty. */
  readonly different: number;
  /** What was done with what cameras add to their pictures: likenesses differ by it. */
  readonly cameras: "centre" | "none";
}

/** How alike pairs of pictures are, of one person and of two: counts in equal steps of likeness. */
export interface Histograms {
  readonly from: number;
  readonly to: number;
  readonly same: readonly number[];
  readonly different: readonly number[];
  /** Of pictures that were confirmed; otherwise as they are grouped now. */
  readonly isConfirmed: boolean;
}

export interface CutOff extends Histograms {
  readonly judgement: Judgement | undefined;
  /** The likeness that tells the pairs apart with the fewest mistakes, and how often it is wrong. */
  readonly at: number;
  /** Of the pairs of one person, the share below it; of two people, the share above it. */
  readonly missed: number;
  readonly mistaken: number;
}

/** As many searches at most; each gives the likeness of one picture to all others. */
const QUERIES = 60;
/** And as many pairs, so that two thousand photos are compared in a few seconds. */
const PAIRS = 60_000;
const STEPS = 24;
/** With fewer pairs of one person that were confirmed, the groups tell more. */
const ENOUGH_PAIRS = 15;

/** The cut-offs of this visit and of earlier ones. */
export class CutOffs {
  /** By a model's fingerprint: to be kept for the next visit. */
  readonly kept = signal<ReadonlyMap<string, KeptCutOff>>(new Map());
  readonly #people: People;

  constructor(people: People) {
    this.#people = people;
  }

  /** What is known of a model, for photos that do not tell it by themselves. */
  of(fingerprint: string): { bandOf(score: number): Band } | undefined {
    const kept = this.kept.peek().get(fingerprint);
    if (kept?.cameras !== this.#people.camerasAre) return undefined;
    const { same, different } = kept;
    return { bandOf: (score) => (score >= same ? "likely" : score <= different ? "unlikely" : "maybe") };
  }

  /** Measures pairs of pictures; undefined where there are none of one person, or none of two. */
  async measure(signal: AbortSignal): Promise<CutOff | undefined> {
    const gallery = await this.#people.gallery();
    const { camerasAre: cameras } = this.#people;
    const photos = this.#people.visible.peek().filter(({ hasFeature }) => hasFeature);
    const confirmed = photos.filter((photo) => photo.confirmed && photo.person !== undefined);
    const isConfirmed = pairsIn(confirmed) >= ENOUGH_PAIRS && new Set(confirmed.map(({ person }) => person)).size > 1;
    const known = isConfirmed ? confirmed : photos.filter(({ person }) => person !== undefined);
    const personOf = new Map(known.map(({ id, person }) => [id, person as PersonId]));
    const [same, different]: [number[], number[]] = [[], []];
    const seen = new Set<number>();
    for (const query of spread(known, photos.length)) {
      signal.throwIfAborted();
      const hits = await gallery.search(query, { top: photos.length, cameras, signal });
      seen.add(query.id);
      for (const { photo, score } of hits) {
        const person = personOf.get(photo.id);
        if (person === undefined || seen.has(photo.id)) continue;
        (person === query.person ? same : different).push(score);
      }
    }
    if (same.length === 0 || different.length === 0) return undefined;
    const judgement = await gallery.judgement({ signal });
    const cutOff = { ...histograms(same, different), isConfirmed, judgement, ...best(same, different) };
    this.kept.value = new Map(this.kept.peek()).set(gallery.fingerprint, { ...sureOf(same, different), cameras });
    return cutOff;
  }
}

/** Those in a file, by the models' fingerprints; what is none is left out. */
export function cutOffsFrom(given: unknown): ReadonlyMap<string, KeptCutOff> {
  const isLikeness = (value: unknown) => typeof value === "number" && value >= -1 && value <= 1;
  return new Map(
    Object.entries((given ?? {}) as Record<string, Partial<KeptCutOff> | null>).flatMap(([fingerprint, cutOff]) => {
      const { same, different, cameras } = cutOff ?? {};
      const isOne = isLikeness(same) && isLikeness(different) && (cameras === "centre" || cameras === "none");
      return isOne ? [[fingerprint, { same, different, cameras } as KeptCutOff] as const] : [];
    }),
  );
}

function pairsIn(photos: readonly GalleryPhoto[]): number {
  const sizes = new Map<PersonId | undefined, number>();
  for (const { person } of photos) sizes.set(person, (sizes.get(person) ?? 0) + 1);
  return [...sizes.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
}

/** Of each person one after the other, so that all have their say. */
function spread(photos: readonly GalleryPhoto[], all: number): GalleryPhoto[] {
  const turns = new Map<PersonId | undefined, number>();
  const inTurn = photos.map((photo) => {
    const turn = turns.get(photo.person) ?? 0;
    turns.set(photo.person, turn + 1);
    return { photo, turn };
  });
  const isPair = ({ photo }: { photo: GalleryPhoto }) => (turns.get(photo.person) ?? 0) > 1;
  // Who is alone has no pair of one person.
  return inTurn
    .sort((a, b) => Number(isPair(b)) - Number(isPair(a)) || a.turn - b.turn)
    .slice(0, Math.min(QUERIES, Math.max(10, Math.floor(PAIRS / all))))
    .map(({ photo }) => photo);
}

function histograms(same: readonly number[], different: readonly number[]): Omit<Histograms, "isConfirmed"> {
  let [from, to] = [1, -1];
  for (const score of [...same, ...different]) [from, to] = [Math.min(from, score), Math.max(to, score)];
  const step = Math.max(1e-6, to - from) / STEPS;
  const counted = (scores: readonly number[]) => {
    const counts = new Array<number>(STEPS).fill(0);
    for (const score of scores) {
      const at = Math.min(STEPS - 1, Math.floor((score - from) / step));
      counts[at] = (counts[at] ?? 0) + 1;
    }
    return counts;
  };
  return { from, to: from + STEPS * step, same: counted(same), different: counted(different) };
}

/** Where the shares of both mistakes are the smallest together. */
export function best(
  same: readonly number[],
  different: readonly number[],
): Pick<CutOff, "at" | "missed" | "mistaken"> {
  const [low, high] = [[...same].sort((a, b) => a - b), [...different].sort((a, b) => a - b)];
  let found = { at: 1, missed: 1, mistaken: 0 };
  for (let i = 0; i < low.length; i++) {
    const at = low[i] as number;
    const missed = i / low.length;
    const mistaken = (high.length - firstFrom(high, at)) / high.length;
    if (missed + mistaken < found.missed + found.mistaken) found = { at, missed, mistaken };
  }
  return found;
}

function sureOf(same: readonly number[], different: readonly number[]): Omit<KeptCutOff, "cameras"> {
  const { at } = best(same, different);
  const [low, high] = [[...same].sort((a, b) => a - b), [...different].sort((a, b) => a - b)];
  const quantile = (sorted: readonly number[], share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { same: Math.max(at, quantile(high, 0.99)), different: Math.min(at, quantile(low, 0.05)) };
}

/** The place of the first that is as large. */
function firstFrom(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
