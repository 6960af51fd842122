import { signal } from "@preact/signals";
import type { LocalAct } from "./history.ts";
import type { ModelSource } from "./model.ts";

/** A time that the model learnt: what it was, and what came of it, as far as that is held. */
export interface Lesson {
  readonly before: ModelSource | undefined;
  readonly after: ModelSource | undefined;
  readonly act: LocalAct;
}

/** A large model is 100 MB, and its files may be in memory. */
const MOST_BYTES = 400e6;

/** What can be gone back to, and forth: models that have learnt, the last of them, as many as there is room for. */
export class Lessons {
  readonly all = signal<readonly Lesson[]>([]);
  readonly #mostBytes: number;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  add(lesson: Lesson): void {
    this.all.value = [...this.all.peek(), lesson];
    const learnt = new Set(this.all.peek().flatMap(({ before, after }) => [before, after]));
    // What it has become is the model in use.
    learnt.delete(lesson.after);
    let bytes = [...learnt, lesson.after].reduce((sum, source) => sum + bytesOf(source), 0);
    for (const source of learnt) {
      if (bytes <= this.#mostBytes) return;
      if (bytesOf(source) === 0) continue;
      bytes -= bytesOf(source);
      const without = (one: ModelSource | undefined) => (one === source ? undefined : one);
      this.all.value = this.all.peek().map(({ before, after, act }) => ({
        before: without(before),
        after: without(after),
        act,
      }));
    }
  }

  /** The one that was this act. */
  by(act: LocalAct): Lesson | undefined {
    return this.all.peek().find((lesson) => lesson.act === act);
  }

  /** The one that made the model what it is; undefined where that was none. */
  of(source: ModelSource): Lesson | undefined {
    return this.all.value.findLast(({ after }) => after === source);
  }
}

/** What a model takes that was made here: others are the user's files, or come again from where they came from. */
function bytesOf(source: ModelSource | undefined): number {
  return source?.learnt && source.weights instanceof File ? source.weights.size : 0;
}
