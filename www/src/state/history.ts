import type { Gallery, GalleryActName } from "webreid";

/** An act that the gallery knows nothing of. */
export interface LocalAct {
  /** What it was, for "Undone: …". */
  readonly name: string;
  undo(): void | Promise<void>;
  redo(): void | Promise<void>;
}

/** Acts that the page does by itself, in steps: a user takes them back together, or with the act of theirs that they followed. */
const OWN: ReadonlySet<GalleryActName | undefined> = new Set(["group"]);
const READING: ReadonlySet<GalleryActName | undefined> = new Set(["add", "group"]);

/**
 * The order in which things are taken back. The gallery has a log of its own, which outlives the page; acts that are none of its
 * stand between those of this visit.
 */
export class History {
  readonly #done: ("gallery" | LocalAct)[] = [];
  readonly #undone: ("gallery" | LocalAct)[] = [];

  /** The user has done something. */
  did(act: "gallery" | LocalAct): void {
    this.#done.push(act);
    this.#undone.length = 0;
  }

  /** How many of this visit's acts hold. */
  get length(): number {
    return this.#done.length;
  }

  get canUndoLocal(): boolean {
    return typeof this.#done.at(-1) === "object";
  }

  get canRedoLocal(): boolean {
    return typeof this.#undone.at(-1) === "object";
  }

  /** What was taken back; undefined when there was nothing. */
  async undo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | undefined> {
    const last = this.#done.pop() ?? "gallery";
    if (last !== "gallery") {
      await last.undo();
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

  async redo(gallery: Gallery | undefined): Promise<GalleryActName | LocalAct | undefined> {
    const last = this.#undone.pop() ?? "gallery";
    if (last !== "gallery") {
      await last.redo();
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
