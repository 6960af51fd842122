import { effect, signal } from "@preact/signals";
import type { Answer, GalleryQuestion } from "webreid";
import { words } from "../words.ts";
import type { Jobs } from "./jobs.ts";
import type { People } from "./people.ts";

/** Whether two groups show one person: asked one after the other, the most telling first. */
export class Questions {
  /** Undefined while it is looked for, and where there is none. */
  readonly now = signal<GalleryQuestion | undefined>(undefined);
  /** Whether there is none left; undefined before that is known. */
  readonly isDone = signal<boolean | undefined>(undefined);
  /** How many answers were given in this visit. */
  readonly answered = signal(0);
  /** Called with what comes next, so that its pictures are there. */
  onNext: (question: GalleryQuestion) => void = () => {};

  readonly #people: People;
  #next: GalleryQuestion | undefined;
  #later: readonly GalleryQuestion[] = [];
  /** Answered, and the gallery does not know it yet. */
  #pending: readonly GalleryQuestion[] = [];
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(people: People, jobs: Jobs) {
    this.#people = people;
    effect(() => {
      // Among other groups others tell most.
      people.strictness.value;
      people.centre.value;
      this.#forget();
    });
    effect(() => {
      const isReading = jobs.all.value.some(({ about }) => about === "photos");
      // What it is about may have changed.
      const { value: photos } = people.photos;
      people.all.value.length;
      if (isReading) this.#forget();
      if (isReading || people.isGrouping.value || photos.size < 2) return;
      if (this.now.peek() !== undefined && !this.#isOpen(this.now.peek())) this.now.value = undefined;
      if (!this.#isOpen(this.#next)) this.#next = undefined;
      void this.look();
    });
  }

  #forget(): void {
    this.now.value = undefined;
    this.#next = undefined;
  }

  /** Looks for the next questions where they are not there yet. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = (async () => {
      do {
        this.#lookAgain = false;
        await this.#lookOnce();
      } while (this.#lookAgain);
    })()
      // Without a question nothing is lost.
      .catch(() => {})
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const gallery = this.#people.held;
    if (!gallery || gallery.readOnly || gallery.size - gallery.withoutFeatures < 2) return;
    if (!this.now.peek()) {
      const first = await gallery.suggest({ besides: [...this.#pending, ...this.#later] });
      if (!this.now.peek()) this.now.value = first;
      // What was put off comes last.
      if (!first && this.#later.length > 0) {
        this.#later = [];
        this.#lookAgain = true;
      } else {
        this.isDone.value = this.now.peek() === undefined;
      }
    }
    const now = this.now.peek();
    if (!now || this.#next) return;
    const next = await gallery.suggest({ besides: [now, ...this.#pending, ...this.#later] });
    if (this.now.peek() !== now) return;
    this.#next = next;
    if (next) this.onNext(next);
  }

  /** Takes the answer, and asks the next question at once. */
  answer(answer: Answer): void {
    const { value: question } = this.now;
    if (!question) return;
    const { a, b } = question;
    this.#pending = [...this.#pending, question];
    this.#goOn(question);
    const count = (by: number) => {
      this.answered.value += by;
    };
    void this.#people
      .act((gallery, despite) => gallery.answer(a, b, answer, { despite }).then(() => true), {
        done: words.questions.answeredWith[answer],
        undone: () => {
          count(-1);
          this.bring(question);
        },
        redone: () => {
          count(1);
          this.#forget();
          void this.look();
        },
      })
      .then((isDone) => {
        this.#pending = this.#pending.filter((other) => other !== question);
        if (isDone) count(1);
        else this.bring(question);
        return this.look();
      });
  }

  /** Puts the question off. */
  skip(): void {
    const { value: question } = this.now;
    if (!question) return;
    this.#later = [...this.#later, question];
    this.#goOn(question);
    void this.look();
  }

  /** Asks this again. */
  bring(question: GalleryQuestion): void {
    this.#next = undefined;
    this.isDone.value = false;
    this.now.value = question;
  }

  /** The next that the answer to this one says nothing of. */
  #goOn(question: GalleryQuestion): void {
    const next = this.#next;
    this.#next = undefined;
    const isApart = next !== undefined && !touches(this.#peopleOf(question), this.#peopleOf(next));
    this.now.value = isApart ? next : undefined;
  }

  /** Whether it can still be asked. */
  #isOpen(question: GalleryQuestion | undefined): boolean {
    if (!question) return false;
    const { value: photos } = this.#people.photos;
    const views = [question.a, question.b].map((side) => side.map((photo) => photos.get(photo)));
    if (views.flat().some((view) => !view || view.hidden)) return false;
    const sure = views.map((side) => new Set(side.flatMap((view) => (view?.confirmed ? (view.person ?? []) : []))));
    return !touches(sure[0] ?? new Set(), sure[1] ?? new Set());
  }

  /** Who is on it; somebody alone is their photo. */
  #peopleOf({ a, b }: GalleryQuestion): Set<number> {
    const photos = this.#people.photos.peek();
    return new Set([...a, ...b].map((photo) => photos.get(photo)?.person ?? -1 - photo));
  }
}

function touches(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return [...a].some((one) => b.has(one));
}
