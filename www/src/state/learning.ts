import { computed, signal } from "@preact/signals";
import {
  evaluate,
  type Feature,
  type FineTuneDepth,
  type FineTuneEstimate,
  type GalleryPhoto,
  type PersonId,
  preload,
  type ReIdentifier,
  ReidError,
} from "webreid";
import { isAborted, messageOf, withoutEnding } from "../errors.ts";
import { keepSomeAside, type Labelled, type Scores, type Split, verdict } from "../evaluation.ts";
import { duration, words } from "../words.ts";
import type { Crops } from "./crops.ts";
import { Gone } from "./history.ts";
import type { Jobs, Work } from "./jobs.ts";
import { type Lesson, Lessons } from "./lessons.ts";
import { loading, type Model, type ModelSource } from "./model.ts";
import type { Notices } from "./notices.ts";
import type { People } from "./people.ts";
import { type Outcome, Training } from "./training.ts";

/** A person cut out of a photo that is larger is learnt from at a smaller size: hundreds of them are held at once. */
const LARGE_PIXELS = 400_000;
const LEAN_HEIGHT = 768;
/** More photos of one person teach no more in the steps that there are. */
const MOST_OF_ONE = 40;

/** Whom to learn, and from what. */
export interface Example {
  readonly id: PersonId;
  readonly photos: readonly GalleryPhoto[];
}

type Picture = Blob | ImageData;

/** What learning needs of the page around it. */
export interface Surroundings {
  readonly jobs: Jobs;
  readonly model: Model;
  readonly people: People;
  readonly crops: Crops;
  readonly notices: Notices;
  /** Stops the reading of photos, as the model is about to become another one. What it gives has all go on. */
  quiet(): Promise<() => Promise<void>>;
}

/** The model learns to tell the people apart whose photos were confirmed, and sees on some kept aside whether that helped. */
export class Learning {
  /** The last time that the model learnt, or what it is learning. */
  readonly training = signal<Training | undefined>(undefined);
  /** How long learning would take; undefined while nobody knows. */
  readonly estimate = signal<FineTuneEstimate | undefined>(undefined);
  readonly isActive = computed(() => (this.training.value?.state.value ?? "ended") !== "ended");
  /** It is being undone, or done again. */
  readonly isTurning = signal(false);
  readonly lessons = new Lessons();
  /** Everybody of whom two photos or more are confirmed and at hand. */
  readonly examples = computed<readonly Example[]>(() => {
    const { photos, all } = this.#with.people;
    const of = photos.value;
    return all.value.flatMap(({ id, confirmed }) => {
      const theirs = confirmed
        .map((photo) => of.get(photo))
        .filter((photo): photo is GalleryPhoto => photo !== undefined && this.#with.crops.file(photo) !== undefined);
      return theirs.length > 1 ? [{ id, photos: spread(theirs, MOST_OF_ONE) }] : [];
    });
  });
  readonly #with: Surroundings;
  /** Of what is being learnt. */
  #work: Work | undefined;
  #estimates = 0;

  constructor(surroundings: Surroundings) {
    this.#with = surroundings;
  }

  /** Works out how long learning would take. */
  async reckon(): Promise<void> {
    const turn = ++this.#estimates;
    const split = keepSomeAside(this.examples.peek());
    const reid = this.#with.model.now;
    const isEnough = this.examples.peek().length > 1;
    const estimate = isEnough ? await reid?.estimateFineTune(split.training).catch(() => undefined) : undefined;
    if (turn === this.#estimates) this.estimate.value = estimate;
  }

  improve(depth: FineTuneDepth): Promise<void> {
    const { jobs, notices } = this.#with;
    const training = new Training(depth);
    this.training.value = training;
    notices.say(words.learning.begins);
    return jobs.run("learning", async (work) => {
      this.#work = work;
      // A cancel does not wait for somebody to resume.
      work.signal.addEventListener("abort", () => training.resume(), { once: true });
      try {
        await this.#improve(training, work);
        notices.toast(`${words.learning.learnt} ${verdictOf(training)}`, () => void this.undo());
      } catch (error) {
        const hasLearnt = training.improved.peek() !== undefined;
        if (isAborted(error)) {
          notices.toast(hasLearnt ? words.learning.learnt : words.learning.cancelled);
        } else {
          const { unmeasured, stopped } = words.learning;
          training.error.value = (hasLearnt ? unmeasured : stopped)(messageOf(error));
          notices.say(training.error.peek());
        }
      } finally {
        training.end();
        this.#work = undefined;
      }
    });
  }

  pause(): void {
    const training = this.training.peek();
    if (!training) return;
    training.pause();
    this.#show(training);
    this.#with.notices.say(words.learning.pausedAloud);
  }

  resume(): void {
    const training = this.training.peek();
    if (!training) return;
    training.resume();
    this.#show(training);
    this.#with.notices.say(words.learning.goesOn);
  }

  cancel(): void {
    this.#with.jobs.cancel("learning");
  }

  /** Back to the model before it learnt last, whatever was done since: that stays, and this is undone as everything is. */
  async undo(): Promise<void> {
    const { model, people, notices } = this.#with;
    const lesson = this.lessons.of(model.source.peek());
    if (!lesson?.before) return;
    if (people.history.isLast(lesson.act)) return people.undo();
    const { act } = lesson;
    try {
      await act.undo();
      const name = words.learning.undone(lesson.before.name);
      people.did(name, act.redo, act.undo, words.learning.goneBack);
    } catch (error) {
      notices.toast(words.people.failed(messageOf(error)));
    }
  }

  /** Has another model of those that have learnt be the one in use. */
  async #turn(way: "before" | "after", of: Lesson | undefined): Promise<void> {
    const { jobs, model, notices } = this.#with;
    const wanted = of?.[way];
    if (!wanted) throw new Gone(words.learning.gone);
    if (this.isActive.peek()) throw new Error(words.learning.isLearning);
    this.isTurning.value = true;
    notices.dropUndo();
    return jobs
      .run("learning", async (work) => {
        work.progress(words.learning.goingBack);
        // The model itself knows what it was before, unless it was loaded again since.
        const isIts = way === "before" && model.source.peek() === of.after;
        if (isIts && (await this.#undoIn(wanted))) return;
        if (!(await model.load(wanted))) throw new Error(model.error.peek());
      })
      .finally(() => {
        this.isTurning.value = false;
      });
  }

  async #undoIn(before: ModelSource): Promise<boolean> {
    const { model, quiet } = this.#with;
    const goOn = await quiet();
    const isUndone = (await model.now?.undo().catch(() => false)) ?? false;
    if (isUndone) model.use(before);
    await goOn();
    return isUndone;
  }

  async #improve(training: Training, work: Work): Promise<void> {
    const { model, quiet } = this.#with;
    const { signal } = work;
    await fetchTrainer(work);
    const reid = await model.ready;
    const split = await this.#pictures(keepSomeAside(this.examples.peek()), work);
    const before = await look(reid, split, words.learning.lookingBefore, work);
    const samples = split.training.map(({ photo, ...who }) => ({ image: photo, ...who }));
    let goOn: (() => Promise<void>) | undefined;
    try {
      for await (const step of reid.fineTune(samples, { depth: training.depth, signal })) {
        training.add(step);
        this.#show(training);
        await training.awake;
        // What is read with the model from before would not go with what comes.
        if (step.step === step.steps && !signal.aborted) goOn = await quiet();
      }
      training.improved.value = await this.#keep(reid);
    } finally {
      await goOn?.();
    }
    const after = await look(reid, split, words.learning.lookingAfter, work);
    training.outcome.value = before && after && (await compare(split, before, after, signal));
  }

  /** Keeps what the model has learnt for when it is loaded again, on another device. */
  async #keep(reid: ReIdentifier): Promise<ModelSource> {
    const { model, people } = this.#with;
    const source = model.source.peek();
    const { base, times } = source.learnt ?? { base: source.name, times: 0 };
    const fileName = `${withoutEnding(source.fileName).replace(/-improved$/, "")}-improved.safetensors`;
    try {
      const weights = new File([await reid.exportWeights()], fileName);
      const learnt = { base, times: times + 1 };
      const improved = { name: words.learning.improved(base, learnt.times), fileName, weights, learnt };
      model.use(improved);
      const act = {
        name: words.learning.act,
        undo: () => this.#turn("before", this.lessons.by(act)),
        redo: () => this.#turn("after", this.lessons.by(act)),
      };
      this.lessons.add({ before: source, after: improved, act });
      people.remember(act);
      return improved;
    } catch (error) {
      // A model that cannot be kept is none: it would be gone with the next change of the device.
      await reid.undo();
      throw error;
    }
  }

  /** The pictures to learn from and to measure with. */
  async #pictures(split: Split<GalleryPhoto>, { signal, progress }: Work): Promise<Split<Picture>> {
    const total = split.training.length + split.keptAside.length;
    let done = 0;
    const of = async (labelled: readonly Labelled<GalleryPhoto>[]): Promise<Labelled<Picture>[]> => {
      const pictures: Labelled<Picture>[] = [];
      for (const { photo, person } of labelled) {
        signal.throwIfAborted();
        progress(words.learning.gettingReady(done, total), done++ / total);
        const picture = await this.#picture(photo);
        if (picture) pictures.push({ photo: picture, person, camera: photo.camera });
      }
      return pictures;
    };
    return { training: await of(split.training), keptAside: await of(split.keptAside) };
  }

  async #picture(photo: GalleryPhoto): Promise<Picture | undefined> {
    const { crops } = this.#with;
    const { box } = photo;
    const isLarge = box !== undefined && box.width * box.height > LARGE_PIXELS;
    return isLarge ? crops.cut(photo, LEAN_HEIGHT) : crops.original(photo);
  }

  #show(training: Training): void {
    const last = training.last.peek();
    if (!last) return;
    const { step, steps, secondsLeft } = last;
    const isPaused = training.state.peek() === "paused";
    const label = isPaused
      ? words.learning.pausedAt(step, steps)
      : words.learning.step(step, steps, duration(secondsLeft));
    this.#work?.progress(label, step / steps);
    // Now and then aloud: each step would drown everything else.
    const isQuarter = Math.floor((4 * step) / steps) > Math.floor((4 * (step - 1)) / steps);
    if (isQuarter && step < steps && !isPaused) {
      this.#with.notices.say(words.learning.aloud(Math.round((100 * step) / steps), duration(secondsLeft)));
    }
  }
}

/** What learns is a download of its own, the first time. It takes the longest to compile: a page may be served before. */
async function fetchTrainer({ signal, progress }: Work): Promise<void> {
  try {
    await preload({
      what: ["trainer"],
      signal,
      onProgress: (at) => {
        if (at.phase === "download") progress(...loading(words.learning.whatLearns, at));
      },
    });
  } catch (error) {
    throw error instanceof ReidError && error.code === "http" ? new Error(words.learning.notThere) : error;
  }
}

/** In a sentence, what came of it. */
export function verdictOf({ outcome }: Training): string {
  const { verdicts, notMeasured } = words.learning;
  return outcome.value ? verdicts[verdict(outcome.value.before, outcome.value.after)] : notMeasured;
}

/** The features of all pictures; undefined where none is kept aside to be measured with. */
async function look(
  reid: ReIdentifier,
  { training, keptAside }: Split<Picture>,
  label: (done: number, total: number) => string,
  { signal, progress }: Work,
): Promise<Feature[] | undefined> {
  if (keptAside.length === 0) return undefined;
  return reid.extract(
    [...training, ...keptAside].map(({ photo }) => photo),
    {
      signal,
      onProgress: (at) => {
        if (at.phase === "extract") progress(label(at.done, at.total), at.done / at.total);
      },
    },
  );
}

/** The same searches, for the photos kept aside among all others, with the features before and after. */
async function compare(
  { training, keptAside }: Split<Picture>,
  before: readonly Feature[],
  after: readonly Feature[],
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  // Also by the same camera: most photos are of one.
  const labels = [...training, ...keptAside].map(({ person }) => ({ person }));
  const queries = [...labels.keys()].slice(training.length);
  const isThere = (query: number) => labels.some(({ person }, i) => i !== query && person === labels[query]?.person);
  if (!queries.some(isThere)) return undefined;
  const scores = async (features: readonly Feature[]): Promise<Scores> => {
    const { rank1, map, queries: searches } = await evaluate(features, labels, { queries, signal });
    return { searches, firstRight: Math.round((searches * rank1) / 100), meanAveragePrecision: map / 100 };
  };
  return { before: await scores(before), after: await scores(after) };
}

/** So many of them at the most, from the first to the last. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T);
}
