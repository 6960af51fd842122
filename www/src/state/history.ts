import type { Gallery, GalleryActName } from "webreid";

/** An act that the gallery knows nothing of. */
export interface LocalAct {
  /** What it was, for "Undone: …". */
  readonly name: string;
  undo(): void | Promise<void>;
  redo(): void | Promise<void>;
}

/** Acts of the gallery, which a user takes back in one go. */
export interface GalleryActs {
  readonly steps: number;
  /** Called when it was taken back, and when it was done again. */
  readonly undone?: (() => void) | undefined;
  readonly redone?: (() => void) | undefined;
}

/** Acts that the page does by itself, in steps: a user takes them back together, or with the act of theirs that they followed. */
const OWN: ReadonlySet<GalleryActName | undefined> = new Set(["group"]);
const READING: ReadonlySet<GalleryActName | undefined> = new Set(["add", "group"]);

/**
 * The order in which things are taken back. The gallery has a log of its own, which outlives the page; acts that are none of its
 * stand between those of this visit.
 */
export class History {
  readonly #done: (GalleryActs | LocalAct)[] = [];
  readonly #undone: (GalleryActs | LocalAct)[] = [];

  /** The user has done something. */
  did(act: GalleryActs | LocalAct): void {
    this.#done.push(act);
    this.#undone.length = 0;
  }

  get canUndoLocal(): boolean {
    return isLocal(this.#done.at(-1));
  }

  get canRedoLocal(): boolean {
    return isLocal(this.#undone.at(-1));
  }

  /** What was taken back; undefined when there was nothing. */
  async undo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | undefined> {
    const last = this.#done.pop() ?? ONE;
    if (isLocal(last)) {
      await last.undo();
      this.#undone.push(last);
      return last;
    }
    let act: GalleryActName | undefined;
    for (let step = 0; gallery && step < last.steps; step++) act = (await undoStep(gallery)) ?? act;
    if (act === undefined) return undefined;
    this.#undone.push(last);
    last.undone?.();
    return act;
  }

  async redo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | undefined> {
    const last = this.#undone.pop() ?? ONE;
    if (isLocal(last)) {
      await last.redo();
      this.#done.push(last);
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

function isLocal(act: GalleryActs | LocalAct | undefined): act is LocalAct {
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
