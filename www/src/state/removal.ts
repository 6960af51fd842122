import { effect } from "@preact/signals";
import { words } from "../words.ts";
import type { Steps } from "./history.ts";
import type { Jobs } from "./jobs.ts";
import type { People } from "./people.ts";
import type { Pile } from "./pile.ts";
import type { Reading } from "./reading.ts";

/** Takes photos out, with who is on them, and back. */
export class Removal {
  readonly #jobs: Jobs;
  readonly #pile: Pile;
  readonly #people: People;
  readonly #reading: Reading;
  /** Those whose people are being taken out. */
  readonly #going = new Set<number>();

  constructor(jobs: Jobs, pile: Pile, people: People, reading: Reading) {
    this.#jobs = jobs;
    this.#pile = pile;
    this.#people = people;
    this.#reading = reading;
    // What was removed in an earlier visit the gallery alone can bring back.
    effect(() => {
      const { value: byHash } = people.byHash;
      const back = pile.sources
        .peek()
        .filter(({ id, hashes, isRemoved }) => isRemoved && !this.#going.has(id) && hashes.some((h) => byHash.has(h)));
      pile.updateAll(new Set(back.map(({ id }) => id)), { isRemoved: false });
    });
  }

  async remove(ids: ReadonlySet<number>): Promise<void> {
    const isOne = ({ id }: { readonly id: number }) => ids.has(id);
    const count = this.#pile.shown.peek().filter(isOne).length;
    if (count === 0) return;
    for (const id of ids) this.#going.add(id);
    const also = {
      undo: () => this.#pile.updateAll(ids, { isRemoved: false }),
      redo: () => this.#pile.updateAll(ids, { isRemoved: true }),
    };
    also.redo();
    // Nothing is left to be read.
    if (this.#reading.isRunning && this.#reading.waiting === 0) this.#jobs.cancel("photos");
    const done = words.photos.removed(count);
    if (this.#people.held) {
      const steps: Steps = { name: words.acts.remove, acts: [], undone: also.undo, redone: also.redo };
      const isDone = await this.#people.act(
        (gallery) =>
          this.#reading.exclusively(async () => {
            const hashes = new Set(
              this.#pile.sources
                .peek()
                .filter(isOne)
                .flatMap((source) => source.hashes),
            );
            const theirs = [...this.#people.photos.peek().values()].filter(({ hash }) => hashes.has(hash));
            if (theirs.length > 0) {
              await gallery.remove(theirs);
              steps.acts.push("remove");
            }
            return true;
          }),
        { done, as: steps },
      );
      if (!isDone) also.undo();
    } else {
      this.#people.did(done, also.undo, also.redo, words.acts.remove);
    }
    for (const id of ids) this.#going.delete(id);
  }
}
