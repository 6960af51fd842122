import type { Gallery, GalleryActName } from "webreid";

/** An act that the gallery knows nothing of. What fails can be tried again, unless it is `Gone`. */
export interface LocalAct {
  /** What it was, for "Undone: …". */
  readonly name: string;
  undo(): void | Promise<void>;
  redo(): void | Promise<void>;
}

/** Nothing can take the act back, or do it again, any more: it is passed over from then on. */
export class Gone extends Error {}

/** Acts of the gallery, which a user takes back in one go. */
export interface GalleryActs {
  readonly steps: number;
  /** Called when it was taken back, and when it was done again. */
  readonly undone?: (() => void) | undefined;
  readonly redone?: (() => void) | undefined;
}

/** Acts of the gallery that are one thing for the user, known by their names: others of the page's own may stand between them. */
export interface Steps {
  readonly name: string;
  /** The first first. */
  readonly acts: GalleryActName[];
  /** Called when it was taken back, and when it was done again. */
  readonly undone?: (() => void) | undefined;
  readonly redone?: (() => void) | undefined;
}

type Act = GalleryActs | Steps | LocalAct;

/** Acts that the page does by itself, in steps: a user takes them back together, or with the act of theirs that they followed. */
const OWN: ReadonlySet<GalleryActName | undefined> = new Set(["group"]);
const READING: ReadonlySet<GalleryActName | undefined> = new Set(["add", "group"]);

/**
 * The order in which things are taken back. The gallery has a log of its own, which outlives the page; acts that are none of its
 * stand between those of this visit.
 */
export class History {
  readonly #done: Act[] = [];
  readonly #undone: Act[] = [];

  /** The user has done something. */
  did(act: Act): void {
    this.#done.push(act);
    this.#undone.length = 0;
  }

  /** Whether that was done last. */
  isLast(act: Act): boolean {
    return this.#done.at(-1) === act;
  }

  /** How many of this visit's acts hold. */
  get length(): number {
    return this.#done.length;
  }

  get canUndoLocal(): boolean {
    return !isOfGallery(this.#done.at(-1));
  }

  get canRedoLocal(): boolean {
    return !isOfGallery(this.#undone.at(-1));
  }

  /** What was taken back; undefined when there was nothing. */
  async undo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | Steps | undefined> {
    const last = this.#done.pop() ?? ONE;
    if (isLocal(last)) return turn(last, "undo", this.#done, this.#undone);
    if ("acts" in last) {
      await takeBack(gallery, last.acts);
      this.#undone.push(last);
      last.undone?.();
      return last;
    }
    let act: GalleryActName | undefined;
    for (let step = 0; gallery && step < last.steps; step++) act = (await undoStep(gallery)) ?? act;
    if (act === undefined) return undefined;
    this.#undone.push(last);
    last.undone?.();
    return act;
  }

  async redo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | Steps | undefined> {
    const last = this.#undone.pop() ?? ONE;
    if (isLocal(last)) return turn(last, "redo", this.#undone, this.#done);
    if ("acts" in last) {
      await redoSteps(last, gallery);
      this.#done.push(last);
      last.redone?.();
      return last;
    }
    let act: GalleryActName | undefined;
    for (let step = 0; gallery && step < last.steps; step++) act = (await redoStep(gallery)) ?? act;
    if (act === undefined) return undefined;
    this.#done.push(last);
    last.redone?.();
    return act;
  }
}

/** Of an earlier visit. */
const ONE: GalleryActs = { steps: 1 };

async function turn(act: LocalAct, way: "undo" | "redo", from: Act[], to: Act[]): Promise<LocalAct> {
  try {
    await act[way]();
  } catch (error) {
    if (!(error instanceof Gone)) from.push(act);
    throw error;
  }
  to.push(act);
  return act;
}

/** Whether nothing can be taken back that the gallery has nothing of. */
function isOfGallery(act: Act | undefined): boolean {
  return act === undefined || "steps" in act;
}

function isLocal(act: Act | undefined): act is LocalAct {
  return act !== undefined && "undo" in act;
}

async function undoStep(gallery: Gallery): Promise<GalleryActName | undefined> {
  let act = await gallery.undo();
  if (!act) return undefined;
  // What was grouped after it goes first.
  while (OWN.has(act) && gallery.canUndo && !READING.has(gallery.canUndo)) act = await gallery.undo();
  while (READING.has(act) && READING.has(gallery.canUndo)) act = await gallery.undo();
  return READING.has(act) ? "add" : act;
}

async function redoStep(gallery: Gallery): Promise<GalleryActName | undefined> {
  const act = await gallery.redo();
  if (!act) return undefined;
  const more = READING.has(act) ? READING : OWN;
  while (more.has(gallery.canRedo)) await gallery.redo();
  return READING.has(act) ? "add" : act;
}

/** Undoes these acts, the last of which was done last, and what was grouped after each. */
export async function takeBack(gallery: Gallery | undefined, acts: readonly GalleryActName[]): Promise<void> {
  for (const act of [...acts].reverse()) {
    while (OWN.has(gallery?.canUndo)) await gallery?.undo();
    if (gallery?.canUndo === act) await gallery.undo();
  }
}

async function redoSteps({ acts }: Steps, gallery: Gallery | undefined): Promise<void> {
  for (const act of acts) {
    while (OWN.has(gallery?.canRedo)) await gallery?.redo();
    if (gallery?.canRedo === act) await gallery.redo();
  }
  while (OWN.has(gallery?.canRedo)) await gallery?.redo();
}
