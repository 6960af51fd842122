import type { FineTuneDepth, FineTuneStep } from "webreid";
import { type Scores, type Verdict, verdict } from "./evaluation.ts";

/** How well the model did on the photos kept aside, before it learnt and after. */
export interface Outcome {
  readonly before: Scores;
  readonly after: Scores;
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  better: "It helped on the photos kept aside.",
  same: "It made no difference on the photos kept aside.",
  worse: "It did not help on the photos kept aside.",
};

/** One time that the model learns from the labelled photos: from its start, over its pauses, to what came of it. */
export class Training {
  readonly depth: FineTuneDepth;
  /** Of each step, from the first. */
  readonly losses: number[] = [];
  last: FineTuneStep | undefined;
  /** `ended`: to its end, or cancelled. */
  state: "running" | "paused" | "ended" = "running";
  /** Undefined before the end, after a cancel, and where no photos could be kept aside. */
  outcome: Outcome | undefined;
  readonly #abort = new AbortController();
  #wake: (() => void) | undefined;
  #awake: Promise<void> = Promise.resolve();

  constructor(depth: FineTuneDepth) {
    this.depth = depth;
  }

  add(step: FineTuneStep): void {
    this.last = step;
    this.losses.push(step.loss);
  }

  pause(): void {
    if (this.state !== "running") return;
    this.state = "paused";
    this.#awake = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.state = "running";
    this.#wake?.();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(): void {
    this.#abort.abort();
    this.resume();
  }

  /** In a sentence, what came of it. */
  get verdict(): string {
    return this.outcome
      ? VERDICTS[verdict(this.outcome.before, this.outcome.after)]
      : "Whether it helped was not measured: that takes a person with three photos or more.";
  }

  /** Resolves when it is not paused. */
  get awake(): Promise<void> {
    return this.#awake;
  }
}
