import {
  chooseDevice,
  type DevicePreference,
  evaluate,
  type Feature,
  type FineTuneDepth,
  type FineTuneEstimate,
  type ModelDescription,
  type Progress,
  ReIdentifier,
} from "webreid";
import { keepSomeAside, type Scores, type Split } from "./evaluation.ts";
import { count, duration, isAborted, megabytes, messageOf, reasonOf, withoutEnding } from "./messages.ts";
import { People, type Person } from "./people.ts";
import { type Photo, Photos } from "./photos.ts";
import { type Match, rank, score } from "./ranking.ts";
import { personOnSample } from "./samples.ts";
import { type Outcome, Training } from "./training.ts";

/** Work under way, for the bar at the foot of the page. */
export interface Job {
  readonly about: "model" | "photos" | "training";
  readonly label: string;
  /** 0…1, or undefined where nobody knows. */
  readonly fraction: number | undefined;
}

/** A model's file, or an OpenVINO model's two. */
export type ModelFiles = File | { readonly xml: File; readonly bin: File };

/** Where a model comes from, and what people call it. */
interface ModelSource {
  readonly name: string;
  readonly fileName: string;
  /** Undefined: the model that comes with the package. */
  readonly weights: ModelFiles | URL | undefined;
}

const BUILT_IN: ModelSource = {
  name: "the built-in model",
  fileName: "webreid-small.safetensors",
  weights: undefined,
};

/**
 * What the page is about: a model, photos, the people on them, a query; and the one piece of work that may be under way.
 * Knows no elements.
 */
export class Session {
  readonly photos = new Photos();
  readonly people = new People();
  model: ModelDescription | undefined;
  /** What people call the model. */
  modelName = "";
  modelError = "";
  device: DevicePreference;
  deviceReason = "";
  query: Photo | undefined;
  job: Job | undefined;
  /** The last time that the model learnt, or what it is learning. */
  training: Training | undefined;
  /** How long learning would take; undefined while nobody knows. */
  estimate: FineTuneEstimate | undefined;
  /** The last thing worth saying aloud. */
  status = "";

  readonly #changed: () => void;
  #reid: ReIdentifier | undefined;
  #source: ModelSource = BUILT_IN;
  /** The model before it learnt; undefined when there is nothing to undo. */
  #before: ModelSource | undefined;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Counts what makes an estimate out of date. */
  #estimates = 0;

  constructor(device: DevicePreference, changed: () => void) {
    this.device = device;
    this.#changed = changed;
    void this.#describeDevice();
  }

  /** The others by likeness, without those that the user said show someone else. */
  get matches(): Match[] {
    const { query } = this;
    if (!query) return [];
    const others = this.photos.all.filter((photo) => !this.people.areDifferent(query, photo));
    return rank(query, others);
  }

  /** How many photos the user said show someone else than the query does. */
  get ruledOut(): number {
    const { query } = this;
    return query ? this.photos.all.filter((photo) => this.people.areDifferent(query, photo)).length : 0;
  }

  get canUndo(): boolean {
    return this.#before !== undefined;
  }

  /** Why there is nothing to learn from yet; empty when there is. */
  get whyNotImprove(): string {
    if (!this.model) return "The model has to be loaded first.";
    const usable = this.people.all.filter(({ photos }) => photos.size > 1).length;
    if (usable > 1) return "";
    return (
      "To learn, the model needs at least two people with two photos each. " +
      `So far ${usable === 1 ? "only one has" : "nobody has"} two: say under “People” who is who.`
    );
  }

  say(status: string): void {
    this.status = status;
    this.#changed();
  }

  addPhotos(files: readonly File[]): void {
    const added = this.photos.add(files);
    const known = files.length - added;
    const already = known > 0 ? `; ${known} were already here` : "";
    const next = this.model || this.job ? "" : " Load a model to compare them.";
    this.say(`${count(added, "photo")} added${already}.${next}`);
    void this.compare();
  }

  removePhoto(photo: Photo): void {
    this.photos.remove(photo);
    this.#leave(photo);
    this.say(`${photo.file.name} removed.`);
  }

  rejectPhoto(photo: Photo, reason: string): void {
    this.photos.reject(photo, reason);
    this.#leave(photo);
    this.say(`${photo.file.name} could not be used: ${reason}`);
  }

  clearPhotos(): void {
    if (this.job?.about !== "model") this.cancel();
    this.photos.clear();
    this.people.clear();
    this.query = undefined;
    this.say("All photos removed.");
  }

  clearProblems(): void {
    this.photos.problems = [];
    this.#changed();
  }

  choose(photo: Photo): void {
    this.query = photo;
    const [best] = this.matches;
    this.say(
      best
        ? `Searching with ${photo.file.name}. Best match: ${best.photo.file.name}, score ${score(best.similarity)} of 100.`
        : `${photo.file.name} chosen. ${this.model ? "It is not compared with other photos yet." : "Load a model to compare it."}`,
    );
  }

  /** Puts the photo into that person, a new one, or (undefined) none. */
  assign(photo: Photo, to: Person | "new" | undefined): void {
    const before = this.people.of(photo);
    const person = to === "new" ? this.people.create() : to;
    this.people.assign(photo, person);
    if (person)
      this.say(`${photo.file.name} is put with ${person.name}, who has ${count(person.photos.size, "photo")}.`);
    else
      this.say(before ? `${photo.file.name} is taken out of ${before.name}.` : `${photo.file.name} is in no person.`);
    void this.#estimate();
  }

  /** The two photos show one person. */
  confirm(a: Photo, b: Photo): void {
    const [one, other] = [this.people.of(a), this.people.of(b)];
    const person = this.people.join(a, b);
    const merged = one && other && one !== other ? ` ${other.name} and ${one.name} are one person now.` : "";
    this.say(`${a.file.name} and ${b.file.name} are both ${person.name}.${merged}`);
    void this.#estimate();
  }

  /** The two photos show different people: neither is suggested for the other again. */
  reject(a: Photo, b: Photo): void {
    this.people.separate(a, b);
    this.say(`${b.file.name} shows someone else than ${a.file.name}: it is not suggested again.`);
  }

  /** Suggests again what was ruled out for the query. */
  forgetRejections(): void {
    if (!this.query) return;
    this.people.forgetDifferences(this.query);
    this.say(`All photos are suggested again for ${this.query.file.name}.`);
  }

  renamePerson(person: Person, name: string): void {
    const before = person.name;
    person.name = name || before;
    this.say(person.name === before ? "" : `${before} is called ${person.name} now.`);
  }

  removePerson(person: Person): void {
    this.people.remove(person);
    this.say(`${person.name} removed. The photos are still there.`);
    void this.#estimate();
  }

  /** Sample photos that are in no person yet. */
  get unsortedSamples(): Photo[] {
    return this.photos.all.filter((photo) => !this.people.of(photo) && personOnSample(photo.file));
  }

  /** Puts the sample photos into the people that they are known to show. */
  sortSamples(): void {
    const samples = this.unsortedSamples;
    for (const photo of samples) {
      const name = personOnSample(photo.file);
      const person = this.people.all.find((person) => person.name === name) ?? this.people.create(name);
      this.people.assign(photo, person);
    }
    this.say(`${count(samples.length, "sample photo")} sorted into their people.`);
    void this.#estimate();
  }

  /** Stops the work under way; what is done stays, but for training, which leaves the model as it was. */
  cancel(): void {
    this.#abort.abort();
    this.training?.cancel();
  }

  async setDevice(device: DevicePreference): Promise<void> {
    this.device = device;
    if (!this.#reid) await this.#describeDevice();
    await this.#load(this.#source, this.#before);
  }

  /** Undefined: the built-in model. */
  loadModel(weights?: ModelFiles | URL): Promise<void> {
    if (!weights) return this.#load(BUILT_IN, undefined);
    const fileName = fileNameOf(weights);
    return this.#load({ name: fileName, fileName, weights }, undefined);
  }

  /** Has the model look at every photo that it has not seen. */
  compare(): Promise<void> {
    return this.#run(async (signal) => {
      const reid = this.#reid;
      if (!reid || this.photos.waiting.length === 0) return;
      const seen = { compared: 0, bad: 0 };
      try {
        await this.#look(reid, signal, "Comparing photos", seen);
        const { compared, bad } = seen;
        this.status = `Done: ${count(compared, "photo")} compared${bad > 0 ? `, ${bad} could not be used` : ""}.`;
      } catch (error) {
        const left = this.photos.waiting.length;
        if (!isAborted(error)) this.status = `Comparing stopped. ${messageOf(error)}`;
        else if (left > 0) this.status = `Cancelled: ${count(seen.compared, "photo")} compared, ${left} not yet.`;
      }
      this.#describeModel();
    });
  }

  /** Has the model learn from the photos whose person is known, and sees on some kept aside whether that helped. */
  improve(depth: FineTuneDepth): Promise<void> {
    const training = new Training(depth);
    const { signal } = training;
    this.training?.cancel();
    this.training = training;
    this.say("The model is going to learn from your photos.");
    return this.#run(async () => {
      let learnt = false;
      try {
        const reid = this.#reid;
        if (!reid || this.whyNotImprove) throw new Error(this.whyNotImprove);
        this.#progress("training", "Getting the photos ready", undefined);
        await this.#look(reid, signal, "Comparing photos");
        const split = keepSomeAside(this.people.all);
        const before = this.photos.features;
        const samples = split.training.map(({ photo, person }) => ({ image: photo.file, person }));
        const onProgress = (progress: Progress) => {
          // What learns is a download of its own, the first time.
          if (progress.phase === "download") this.#progress("training", ...loading("what it takes to learn", progress));
        };
        for await (const step of reid.fineTune(samples, { depth, signal, onProgress })) {
          training.add(step);
          this.#showTraining(training);
          await training.awake;
        }
        learnt = true;
        // What was seen before is the old model's, whatever comes next.
        this.#describeModel();
        await this.#keepImproved(reid);
        await this.#look(reid, signal, "Looking at the photos again");
        training.outcome = await compareModels(split, before, this.photos.features, signal);
        this.status = `Done: the model has learnt from your photos. ${training.verdict}`;
      } catch (error) {
        const state = learnt ? "The model has learnt from your photos." : "The model is as it was.";
        this.status = isAborted(error) ? `Cancelled. ${state}` : `Learning stopped: ${messageOf(error)} ${state}`;
      }
      training.state = "ended";
      this.#describeModel();
    }).then(() => this.#estimate());
  }

  pauseTraining(): void {
    if (!this.training) return;
    this.training.pause();
    this.#showTraining(this.training);
    this.say("Paused. Nothing is lost: resume when you like.");
  }

  resumeTraining(): void {
    if (!this.training) return;
    this.training.resume();
    this.#showTraining(this.training);
    this.say("The model goes on learning.");
  }

  /** Back to the model before it learnt. */
  async undo(): Promise<void> {
    let elsewhere: ModelSource | undefined;
    await this.#run(async (signal) => {
      const [reid, before] = [this.#reid, this.#before];
      if (!reid || !before) return;
      this.#progress("model", "Going back to the model before", undefined);
      if (!(await reid.undo().catch(() => false))) {
        elsewhere = before;
        return;
      }
      this.#use(before, undefined);
      this.#describeModel();
      this.training = undefined;
      this.status = "Undone: the model is as it was before it learnt.";
      await this.#look(reid, signal, "Looking at the photos again").catch((error: unknown) => {
        if (!isAborted(error)) this.status += ` Comparing stopped. ${messageOf(error)}`;
      });
    });
    // Loaded again for another device, the model does not know what it was before.
    if (elsewhere) await this.#load(elsewhere, undefined);
    await this.#estimate();
  }

  /** The model as it is now, as a file that can be loaded again. */
  async exportModel(): Promise<File | undefined> {
    const { fileName } = this.#source;
    try {
      const weights = await this.#reid?.exportWeights();
      if (!weights) return undefined;
      this.say(`The model is saved as ${safetensorsName(fileName)}.`);
      return new File([weights], safetensorsName(fileName));
    } catch (error) {
      this.say(`The model could not be saved. ${messageOf(error)}`);
      return undefined;
    }
  }

  #load(source: ModelSource, before: ModelSource | undefined): Promise<void> {
    this.cancel();
    this.modelError = "";
    return this.#run(async (signal) => {
      const { name, weights } = source;
      this.#progress("model", `Loading ${name}`, undefined);
      const previous = this.#source;
      this.#source = source;
      try {
        const reid = await ReIdentifier.create({
          weights,
          device: this.device,
          signal,
          onProgress: (progress) => this.#progress("model", ...modelProgress(progress, name)),
        });
        await this.#reid?.dispose();
        this.#reid = reid;
        this.#use(source, before);
        if (!before) this.training = undefined;
        this.#describeModel();
        this.status = `Model loaded: ${reid.describe().architecture}.`;
      } catch (error) {
        this.#source = previous;
        if (isAborted(error)) {
          this.status = "Loading the model was cancelled.";
        } else {
          this.modelError = `${messageOf(error)}${this.#reid ? " The model loaded before is still in use." : ""}`;
        }
      }
    })
      .then(() => this.compare())
      .then(() => this.#estimate());
  }

  /** The model is another one now. */
  #use(source: ModelSource, before: ModelSource | undefined): void {
    this.#source = source;
    this.#before = before;
    this.modelName = source.name;
    this.photos.keepFeaturesOf();
  }

  /** Keeps what the model has learnt for when it is loaded again, on another device. */
  async #keepImproved(reid: ReIdentifier): Promise<void> {
    const { name, fileName } = this.#source;
    const improved = `${withoutEnding(fileName).replace(/-improved$/, "")}-improved.safetensors`;
    const weights = new File([await reid.exportWeights()], improved);
    this.#use({ name: `${name.replace(/, improved$/, "")}, improved`, fileName: improved, weights }, this.#source);
  }

  /** Has the model look at the photos that it has not seen; `seen` counts as it goes. */
  async #look(reid: ReIdentifier, signal: AbortSignal, label: string, seen = { compared: 0, bad: 0 }): Promise<void> {
    const about = this.job?.about === "training" ? "training" : "photos";
    // Photos may be added meanwhile.
    for (let waiting = this.photos.waiting; waiting.length > 0; waiting = this.photos.waiting) {
      await reid.extract(
        waiting.map((photo) => photo.file),
        {
          signal,
          onError: "skip",
          onProgress: (progress) => {
            if (progress.phase !== "extract") return;
            const { done, total } = progress;
            this.#progress(about, `${label}: ${done} of ${total}`, done / total);
          },
          onFeature: (feature, index) => {
            const photo = waiting[index];
            if (photo) photo.feature = feature;
            seen.compared++;
          },
          onImageError: (error) => {
            seen.bad++;
            const photo = waiting[error.image?.index ?? -1];
            if (!photo) return;
            this.photos.reject(photo, reasonOf(error));
            this.#leave(photo);
          },
        },
      );
    }
  }

  /** One piece of work at a time, in the order asked for. Whatever one fails of, it says so, and the next begins. */
  #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#running = this.#running.then(async () => {
      try {
        this.#abort = new AbortController();
        await work(this.#abort.signal);
      } catch (error) {
        this.status = `Something went wrong: ${messageOf(error)}`;
      }
      this.job = undefined;
      this.#changed();
    });
    return this.#running;
  }

  #progress(about: Job["about"], label: string, fraction: number | undefined): void {
    this.job = { about, label, fraction };
    this.#changed();
  }

  #showTraining({ last, state }: Training): void {
    if (!last) return;
    const { step, steps, secondsLeft } = last;
    const at = `step ${step} of ${steps}`;
    this.#progress(
      "training",
      state === "paused" ? `Paused at ${at}` : `Learning: ${at}, ${duration(secondsLeft)} left`,
      step / steps,
    );
    // Now and then aloud: each step would drown everything else.
    const quarter = Math.floor((4 * step) / steps) > Math.floor((4 * (step - 1)) / steps);
    if (quarter && step < steps && state === "running") {
      this.say(`Learning: ${Math.round((100 * step) / steps)} % done, ${duration(secondsLeft)} left.`);
    }
  }

  /** Works out how long learning from the photos would take. */
  async #estimate(): Promise<void> {
    const turn = ++this.#estimates;
    const people = keepSomeAside(this.people.all).training;
    const estimate = this.whyNotImprove ? undefined : await this.#reid?.estimateFineTune(people).catch(() => undefined);
    if (turn !== this.#estimates) return;
    this.estimate = estimate;
    this.#changed();
  }

  #leave(photo: Photo): void {
    this.people.leave(photo);
    if (this.query === photo) this.query = undefined;
  }

  /** After a crash the model may have come back on another device, and after learning it is another one. */
  #describeModel(): void {
    this.model = this.#reid?.describe();
    this.photos.keepFeaturesOf(this.model?.fingerprint);
    this.deviceReason = this.model?.deviceReason ?? this.deviceReason;
  }

  async #describeDevice(): Promise<void> {
    this.deviceReason = await chooseDevice(this.device).then((choice) => choice.reason, messageOf);
    this.#changed();
  }
}

/** The same searches with the features before and after; undefined where no photo kept aside has another to be found. */
async function compareModels(
  { training, keptAside }: Split<Photo>,
  before: ReadonlyMap<Photo, Feature>,
  after: ReadonlyMap<Photo, Feature>,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  // A photo may have been removed meanwhile.
  const there = ({ photo }: { photo: Photo }) => before.has(photo) && after.has(photo);
  const learnt = training.filter(there);
  const all = [...learnt, ...keptAside.filter(there)];
  const queries = [...all.keys()].slice(learnt.length);
  if (!queries.some((query) => all.some(({ person }, i) => i !== query && person === all[query]?.person)))
    return undefined;
  const scores = async (features: ReadonlyMap<Photo, Feature>): Promise<Scores> => {
    const ofAll = all.map(({ photo }) => features.get(photo));
    const { rank1, map, queries: searches } = await evaluate(ofAll, all, { queries, signal });
    return { searches, firstRight: Math.round((searches * rank1) / 100), meanAveragePrecision: map / 100 };
  };
  return { before: await scores(before), after: await scores(after) };
}

function fileNameOf(weights: ModelFiles | URL): string {
  if (weights instanceof URL) return weights.pathname.split("/").at(-1) || weights.hostname;
  return ("xml" in weights ? weights.xml : weights).name;
}

function safetensorsName(fileName: string): string {
  return `${withoutEnding(fileName) || "model"}.safetensors`;
}

function modelProgress(progress: Progress, name: string): [label: string, fraction: number | undefined] {
  if (progress.phase !== "download") return [`Setting up ${name}`, undefined];
  return loading(progress.what === "engine" ? "the program" : name, progress);
}

function loading(
  what: string,
  { loaded, total }: Progress & { phase: "download" },
): [label: string, fraction: number | undefined] {
  const of = total === undefined ? "" : ` of ${megabytes(total)}`;
  return [`Loading ${what}: ${megabytes(loaded)}${of}`, total && loaded / total];
}
