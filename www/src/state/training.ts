import { signal } from "@preact/signals";
import type { FineTuneDepth, FineTuneStep } from "webreid";
import type { Scores } from "../evaluation.ts";
import type { ModelSource } from "./model.ts";

/** How well the model did on the photos kept aside, before it learnt and after. */
export interface Outcome {
  readonly before: Scores;
  readonly after: Scores;
}

/** One time that the model learns: from its start, over its pauses, to what came of it. */
export class Training {
  readonly depth: FineTuneDepth;
  /** Of each step, from the first. */
  readonly losses = signal<readonly number[]>([]);
  readonly last = signal<FineTuneStep | undefined>(undefined);
  /** `ended`: to its end, or cancelled. */
  readonly state = signal<"running" | "paused" | "ended">("running");
  /** What it made of the model; undefined before the end, and after a cancel. */
  readonly improved = signal<ModelSource | undefined>(undefined);
  /** Undefined before it was measured, and where no photos could be kept aside. */
  readonly outcome = signal<Outcome | undefined>(undefined);
  /** What went wrong. */
  readonly error = signal("");
  #wake: (() => void) | undefined;
  #awake: Promise<void> = Promise.resolve();

  constructor(depth: FineTuneDepth) {
    this.depth = depth;
  }

  add(step: FineTuneStep): void {
    this.last.value = step;
    this.losses.value = [...this.losses.peek(), step.loss];
  }

  pause(): void {
    if (this.state.peek() !== "running") return;
    this.state.value = "paused";
    this.#awake = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  resume(): void {
    if (this.state.peek() !== "paused") return;
    this.state.value = "running";
    this.#wake?.();
  }

  end(): void {
    this.resume();
    this.state.value = "ended";
  }

  /** Resolves when it is not paused. */
  get awake(): Promise<void> {
    return this.#awake;
  }
}
