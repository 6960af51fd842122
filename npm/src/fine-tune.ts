import type { FineTuneDepth, FittedImage } from "./engine.js";
import { abortable, aboutImage, isOfAnImage, ReidError, throwIfAborted } from "./errors.js";
import type { Fitter } from "./fitter.js";
import { type ImageSource, imageName, release, toPicture } from "./image.js";
import { indexed } from "./indexed.js";
import { listOf } from "./lists.js";
import { loadModule } from "./module.js";
import { A_FUNCTION, A_SIGNAL, COUNT, checkOptions, oneOf, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";
import type { Session } from "./session.js";
import type { TimedStep, TrainingRequest } from "./trainer-protocol.js";

/** A photo that is known to show a person. */
export interface FineTuneSample {
  readonly image: ImageSource;
  /** Any name or number: what counts is which samples share it. */
  readonly person: string | number;
  /** Which camera took it, where that is known: telling people apart across cameras is the harder thing to learn. */
  readonly camera?: string | number | undefined;
}

export interface FineTuneOptions {
  /**
   * How much of the model moves. `quick` (default): only its last layers; little can go wrong.
   * `deeper`: also the last stage of the network before them. `full`: everything, which wants many photos.
   */
  readonly depth?: FineTuneDepth | undefined;
  /** How many batches to learn from; the default depends on the depth and the number of samples. */
  readonly steps?: number | undefined;
  /** The default depends on the depth. */
  readonly learningRate?: number | undefined;
  /** The same seed and samples give the same training on the same device. A whole number from 0, the default, to 2³² − 1. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** What a step of training tells. */
export interface FineTuneStep {
  /** From 1. */
  readonly step: number;
  /** In all. */
  readonly steps: number;
  /** How wrong the model was on the batch: falls as it learns, unevenly. */
  readonly loss: number;
  /** Share of the batch, 0…1, whose person the model told right among those it is learning. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  /** At that speed, until the last step. */
  readonly secondsLeft: number;
}

/** What a fine-tune of each depth would take. */
export type FineTuneEstimate = Readonly<Record<FineTuneDepth, { readonly steps: number; readonly seconds: number }>>;

const OPTIONS: Rules<FineTuneOptions> = {
  depth: oneOf("quick", "deeper", "full"),
  steps: COUNT,
  learningRate: [(rate) => Number.isFinite(rate) && (rate as number) > 0, "a number above 0"],
  seed: [
    (seed) => Number.isInteger(seed) && (seed as number) >= 0 && (seed as number) < 2 ** 32,
    "a whole number from 0 to 2³² − 1",
  ],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

/** A batch is small, for a step is what a cancel has to wait for. */
const BATCH_PEOPLE = 4;
const BATCH_IMAGES = 4;
/** How often training goes through the samples, within bounds that move the model at all and that a user will wait for. */
const EPOCHS: Readonly<Record<FineTuneDepth, number>> = { quick: 100, deeper: 60, full: 60 };
const MIN_STEPS: Readonly<Record<FineTuneDepth, number>> = { quick: 200, deeper: 100, full: 100 };
const MAX_STEPS = 400;
/**
 * What an image of a step costs, in extractions, until a step has shown it: the last layers on features that are there
 * already; the network forward, and back through its last stage; back through all of it. As measured on the CPU with
 * OSNet x0.25 and the model that comes along, which were a seventh apart.
 */
const COST: Readonly<Record<FineTuneDepth, number>> = { quick: 0.02, deeper: 1.7, full: 3.3 };
/** Extractions that a sample costs before the first step: of the image, and of its mirror image. */
const PREPARATION = 2;
/** The speed is the mean of that many steps. */
const SPEED_STEPS = 8;
/** Samples fetched at a time. */
const FETCH = 8;

/** See `ReIdentifier.fineTune`. */
export async function* fineTune(
  session: Session,
  fitter: Fitter,
  given: Iterable<FineTuneSample>,
  options: FineTuneOptions,
): AsyncGenerator<FineTuneStep, void, undefined> {
  checkOptions("options", options, OPTIONS);
  const samples = listOf(given, "Samples");
  const { signal, onProgress } = options;
  const { people, cameras, options: tuner } = plan(samples, options);
  throwIfAborted(signal);

  const trainer = session.openTrainer();
  const end = () => session.closeTrainer(trainer);
  // A paused loop learns of the abort only when it pulls; the memory is given back at once.
  signal?.addEventListener("abort", end, { once: true });
  try {
    const module = await loadModule("trainer", onProgress, signal);
    const images = await fitter.during(() => fitAll(samples, session, fitter, options));
    const weights = await abortable(session.call("exportWeights", {}), signal);
    const request = { images, people, cameras, options: tuner };
    await abortable(trainer.start(module, weights, session.wantedToTrain, request), signal);

    const recent: TimedStep[] = [];
    for (;;) {
      const step = await abortable(trainer.step(), signal);
      if (!step) break;
      session.trainSeconds[tuner.depth] = step.seconds / step.images;
      recent.push(step);
      if (recent.length > SPEED_STEPS) recent.shift();
      onProgress?.({ phase: "train", done: step.step, total: step.steps });
      yield report(step, recent);
    }
    const trained = await abortable(trainer.finish(), signal);
    end();
    await session.replace(trained);
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

/** The samples at the network's size: a few dozen whole photos would fill the memory. */
async function fitAll(
  samples: readonly FineTuneSample[],
  session: Session,
  fitter: Fitter,
  { signal, onProgress }: FineTuneOptions,
): Promise<FittedImage[]> {
  const images: FittedImage[] = [];
  onProgress?.({ phase: "samples", done: 0, total: samples.length });
  while (images.length < samples.length) {
    const start = images.length;
    const pictures = samples.slice(start, start + FETCH).map(({ image }) => toPicture(image, signal));
    const fitted = pictures.map(async (picture) => fitter.fit(await picture, session, signal));
    // Of several that fail the first is told.
    for (const image of fitted) image.catch(() => {});
    try {
      for (const image of fitted) images.push(await image);
    } catch (error) {
      const index = images.length;
      throw isOfAnImage(error) ? aboutImage(error, index, imageName(samples[index]?.image ?? "", index)) : error;
    } finally {
      release(pictures);
    }
    onProgress?.({ phase: "samples", done: images.length, total: samples.length });
  }
  return images;
}

/** See `ReIdentifier.estimateFineTune`. */
export function estimate(
  samples: readonly Pick<FineTuneSample, "person">[],
  steps: number | undefined,
  extractSeconds: number,
  trainSeconds: Readonly<Partial<Record<FineTuneDepth, number>>>,
): FineTuneEstimate {
  const { options, people } = batches(samples);
  const of = (depth: FineTuneDepth) => {
    const count = steps ?? defaultSteps(depth, people.length, options);
    const perImage = trainSeconds[depth] ?? extractSeconds * COST[depth];
    const images = count * options.batchPeople * options.batchImages;
    return { steps: count, seconds: PREPARATION * people.length * extractSeconds + images * perImage };
  };
  return { quick: of("quick"), deeper: of("deeper"), full: of("full") };
}

interface Batches {
  /** The person's index for each sample. */
  readonly people: Uint32Array;
  readonly options: { readonly batchPeople: number; readonly batchImages: number };
}

function batches(samples: readonly Pick<FineTuneSample, "person">[]): Batches {
  const { indices, names } = indexed(samples.map(({ person }) => person));
  const people = Uint32Array.from(indices);
  return { people, options: { batchPeople: Math.min(BATCH_PEOPLE, names.length), batchImages: BATCH_IMAGES } };
}

/** Checks what was asked for, and numbers people and cameras. */
function plan(
  samples: readonly FineTuneSample[],
  { depth = "quick", steps, learningRate, seed = 0 }: FineTuneOptions,
): Omit<TrainingRequest, "images"> {
  for (const [index, sample] of samples.entries()) checkPerson(sample, index);
  checkEnough(samples);
  const { people, options } = batches(samples);
  return {
    people,
    cameras: Int32Array.from(indexed(samples.map(({ camera }) => camera)).indices),
    options: { ...options, depth, steps: steps ?? defaultSteps(depth, samples.length, options), learningRate, seed },
  };
}

export function checkPerson(sample: unknown, index: number): void {
  const { person } = (sample ?? {}) as Partial<FineTuneSample>;
  if (typeof person === "string" || typeof person === "number") return;
  const name = `Sample ${index + 1}`;
  throw new ReidError("bad-input", `${name} does not say which \`person\` it shows, by a name or a number.`, {
    image: { index, name },
  });
}

function checkEnough(samples: readonly FineTuneSample[]): void {
  const counts = new Map<string, number>();
  for (const { person } of samples) counts.set(String(person), (counts.get(String(person)) ?? 0) + 1);
  const usable = [...counts.values()].filter((count) => count > 1).length;
  if (usable < 2) {
    throw new ReidError(
      "too-few-samples",
      `Learning to tell people apart takes at least two people with two images each. ` +
        `There ${counts.size === 1 ? "is 1 person" : `are ${counts.size} people`} here, ${usable} of them with two images or more.`,
    );
  }
}

function defaultSteps(depth: FineTuneDepth, samples: number, { batchPeople, batchImages }: Batches["options"]): number {
  const steps = Math.ceil((EPOCHS[depth] * samples) / (batchPeople * batchImages));
  return Math.max(MIN_STEPS[depth], Math.min(MAX_STEPS, steps));
}

function report({ step, steps, loss, accuracy }: TimedStep, recent: readonly TimedStep[]): FineTuneStep {
  const sum = (of: (step: TimedStep) => number) => recent.reduce((total, step) => total + of(step), 0);
  const seconds = sum((step) => step.seconds);
  return {
    step,
    steps,
    loss,
    accuracy,
    imagesPerSecond: sum((step) => step.images) / seconds,
    secondsLeft: ((steps - step) * seconds) / recent.length,
  };
}
