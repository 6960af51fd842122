import { signal } from "@preact/signals";

/** What goes on by itself beside the others; of one kind there is one job at a time. */
export type About = "model" | "photos" | "boxes" | "learning" | "files";

/** Work under way, for people who wait for it. */
export interface Job {
  readonly about: About;
  readonly label: string;
  /** 0…1, or undefined where nobody knows. */
  readonly fraction: number | undefined;
}

/** What work is given. */
export interface Work {
  /** Aborted when the user cancels. */
  readonly signal: AbortSignal;
  progress(label: string, fraction?: number): void;
}

/** The work of the page: each kind in the order asked for, each by itself, so that what fails stops nothing else. */
export class Jobs {
  readonly all = signal<readonly Job[]>([]);
  /** How many are under way or wait. */
  readonly active = signal(0);
  readonly #queues = new Map<About, Promise<unknown>>();
  readonly #aborts = new Map<About, AbortController>();

  /** Does the work when that of its kind before is done, and settles as it does. */
  run<T>(about: About, work: (work: Work) => Promise<T>): Promise<T> {
    const before = this.#queues.get(about) ?? Promise.resolve();
    this.active.value++;
    const turn = before.then(async () => {
      const abort = new AbortController();
      this.#aborts.set(about, abort);
      try {
        return await work({
          signal: abort.signal,
          progress: (label, fraction) => this.#show(about, { about, label, fraction }),
        });
      } finally {
        this.#show(about, undefined);
        this.active.value--;
      }
    });
    this.#queues.set(
      about,
      turn.catch(() => {}),
    );
    return turn;
  }

  /** Stops what is under way of that kind. */
  cancel(about: About): void {
    this.#aborts.get(about)?.abort();
  }

  #show(about: About, job: Job | undefined): void {
    const others = this.all.peek().filter((other) => other.about !== about);
    this.all.value = job ? [...others, job] : others;
  }
}
