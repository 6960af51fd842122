import { signal } from "@preact/signals";

/** What was done, said in passing; with `undo`, a way back. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo: (() => void) | undefined;
}

/** A choice that only the user can make. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly no: string;
  answer(yes: boolean): void;
}

/** A file that could not be used, and why. */
export interface Problem {
  readonly name: string;
  readonly reason: string;
}

/** With a way back a toast stays as long as it takes to read it and think; without one, to read it. */
const TOAST_MS = { plain: 6_000, undo: 12_000 } as const;
const MOST_TOASTS = 3;

/** What the page says to its user, apart from what is on it. */
export class Notices {
  readonly toasts = signal<readonly Toast[]>([]);
  /** The last thing worth saying aloud. */
  readonly status = signal("");
  readonly problems = signal<readonly Problem[]>([]);
  readonly question = signal<Question | undefined>(undefined);
  #next = 0;

  /** For the live region alone. */
  say(text: string): void {
    this.status.value = text;
  }

  toast(text: string, undo?: () => void): void {
    const id = this.#next++;
    this.toasts.value = [...this.toasts.peek(), { id, text, undo }].slice(-MOST_TOASTS);
    this.say(text);
    setTimeout(() => this.dismiss(id), undo ? TOAST_MS.undo : TOAST_MS.plain);
  }

  dismiss(id: number): void {
    this.toasts.value = this.toasts.peek().filter((toast) => toast.id !== id);
  }

  /** Takes back the offers to undo: what they would undo is not the last act any more. */
  dropUndo(): void {
    this.toasts.value = this.toasts.peek().filter(({ undo }) => !undo);
  }

  problem(name: string, reason: string): void {
    this.problems.value = [...this.problems.peek(), { name, reason }];
  }

  clearProblems(): void {
    this.problems.value = [];
  }

  /** Asks, and waits for the answer; closing the question is a no. */
  ask(question: Omit<Question, "answer">): Promise<boolean> {
    return new Promise((resolve) => {
      this.question.value = {
        ...question,
        answer: (yes) => {
          this.question.value = undefined;
          resolve(yes);
        },
      };
    });
  }
}
