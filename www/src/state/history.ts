import type { Gallery, GalleryActName } from "webreid";

/** An act that the gallery knows nothing of. */
export interface LocalAct {
  /** What it was, for "Undone: …". */
  readonly name: string;
  undo(): void | Promise<void>;
  redo(): void | Promise<void>;
}

/** What is one thing for the user, and several acts of the gallery, perhaps with something that it knows nothing of. */
export interface Steps {
  readonly name: string;
  /** The first first. */
  readonly acts: GalleryActName[];
  readonly also?: Pick<LocalAct, "undo" | "redo">;
}

type Act = "gallery" | Steps | LocalAct;

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

  get canUndoLocal(): boolean {
    return typeof this.#done.at(-1) === "object";
  }

  get canRedoLocal(): boolean {
    return typeof this.#undone.at(-1) === "object";
  }

  /** What was taken back; undefined when there was nothing. */
  async undo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | Steps | undefined> {
    const last = this.#done.pop() ?? "gallery";
    if (last !== "gallery") {
      if ("acts" in last) await undoSteps(last, gallery);
      else await last.undo();
      this.#undone.push(last);
      return last;
    }
    let act = await gallery?.undo();
    if (!gallery || !act) return undefined;
    // What was grouped after it goes first.
    while (OWN.has(act) && gallery.canUndo && !READING.has(gallery.canUndo)) act = await gallery.undo();
    while (READING.has(act) && READING.has(gallery.canUndo)) act = await gallery.undo();
    this.#undone.push("gallery");
    return READING.has(act) ? "add" : act;
  }

  async redo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | Steps | undefined> {
    const last = this.#undone.pop() ?? "gallery";
    if (last !== "gallery") {
      if ("acts" in last) await redoSteps(last, gallery);
      else await last.redo();
      this.#done.push(last);
      return last;
    }
    const act = await gallery?.redo();
    if (!gallery || !act) return undefined;
    const more = READING.has(act) ? READING : OWN;
    while (more.has(gallery.canRedo)) await gallery.redo();
    this.#done.push("gallery");
    return READING.has(act) ? "add" : act;
  }
}

async function undoSteps({ acts, also }: Steps, gallery: Gallery | undefined): Promise<void> {
  for (const act of [...acts].reverse()) {
    while (OWN.has(gallery?.canUndo)) await gallery?.undo();
    if (gallery?.canUndo === act) await gallery.undo();
  }
  await also?.undo();
}

async function redoSteps({ acts, also }: Steps, gallery: Gallery | undefined): Promise<void> {
  for (const act of acts) {
    while (OWN.has(gallery?.canRedo)) await gallery?.redo();
    if (gallery?.canRedo === act) await gallery.redo();
  }
  while (OWN.has(gallery?.canRedo)) await gallery?.redo();
  await also?.redo();
}
