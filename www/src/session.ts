import { chooseDevice, type DevicePreference, type ModelDescription, type Progress, ReIdentifier } from "webreid";
import { count, isAborted, megabytes, messageOf, reasonOf } from "./messages.ts";
import { type Photo, Photos } from "./photos.ts";
import { type Match, rank, score } from "./ranking.ts";

/** Work under way, for the bar at the foot of the page. */
export interface Job {
  readonly about: "model" | "photos";
  readonly label: string;
  /** 0…1, or undefined where nobody knows. */
  readonly fraction: number | undefined;
}

type ModelSource = File | URL;

/** What the page is about: a model, photos, a query; and the one piece of work that may be under way. Knows no elements. */
export class Session {
  readonly photos = new Photos();
  model: ModelDescription | undefined;
  modelError = "";
  device: DevicePreference;
  deviceReason = "";
  query: Photo | undefined;
  job: Job | undefined;
  /** The last thing worth saying aloud. */
  status = "";

  readonly #changed: () => void;
  #reid: ReIdentifier | undefined;
  #source: ModelSource | undefined;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(device: DevicePreference, changed: () => void) {
    this.device = device;
    this.#changed = changed;
    void this.#describeDevice();
  }

  get matches(): Match[] {
    const reid = this.#reid;
    if (!reid || !this.query) return [];
    return rank(this.query, this.photos.all, (a, b) => reid.similarity(a, b));
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
    if (this.job?.about === "photos") this.cancel();
    this.photos.clear();
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

  /** Stops the work under way; what is done stays. */
  cancel(): void {
    this.#abort.abort();
  }

  async setDevice(device: DevicePreference): Promise<void> {
    this.device = device;
    if (this.#source) return this.loadModel(this.#source);
    await this.#describeDevice();
  }

  loadModel(source: ModelSource): Promise<void> {
    this.cancel();
    this.modelError = "";
    return this.#run(async (signal) => {
      const name = source instanceof URL ? source.pathname.split("/").at(-1) || source.hostname : source.name;
      this.#progress("model", `Loading ${name}`, undefined);
      const before = this.#source;
      this.#source = source;
      try {
        const reid = await ReIdentifier.create({
          weights: source,
          device: this.device,
          signal,
          onProgress: (progress) => this.#progress("model", ...modelProgress(progress, name)),
        });
        await this.#reid?.dispose();
        this.#reid = reid;
        this.photos.forgetFeatures();
        this.#describeModel();
        this.status = `Model loaded: ${reid.describe().architecture}.`;
      } catch (error) {
        this.#source = before;
        if (isAborted(error)) {
          this.status = "Loading the model was cancelled.";
        } else {
          this.modelError = `${messageOf(error)}${this.#reid ? " The model loaded before is still in use." : ""}`;
        }
      }
    }).then(() => this.compare());
  }

  /** Has the model look at every photo that it has not seen. */
  compare(): Promise<void> {
    return this.#run(async (signal) => {
      const reid = this.#reid;
      if (!reid || this.photos.waiting.length === 0) return;
      const problems = this.photos.problems.length;
      let compared = 0;
      try {
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
                this.#progress("photos", `Comparing photos: ${done} of ${total}`, done / total);
              },
              onFeature: (feature, index) => {
                const photo = waiting[index];
                if (photo) photo.feature = feature;
                compared++;
              },
              onImageError: (error) => {
                const photo = waiting[error.image?.index ?? -1];
                if (!photo) return;
                this.photos.reject(photo, reasonOf(error));
                this.#leave(photo);
              },
            },
          );
        }
        const bad = this.photos.problems.length - problems;
        this.status = `Done: ${count(compared, "photo")} compared${bad > 0 ? `, ${bad} could not be used` : ""}.`;
      } catch (error) {
        const left = this.photos.waiting.length;
        if (!isAborted(error)) this.status = `Comparing stopped. ${messageOf(error)}`;
        else if (left > 0) this.status = `Cancelled: ${count(compared, "photo")} compared, ${left} not yet.`;
      }
      this.#describeModel();
    });
  }

  /** One piece of work at a time, in the order asked for. */
  #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#running = this.#running.then(async () => {
      this.#abort = new AbortController();
      await work(this.#abort.signal);
      this.job = undefined;
      this.#changed();
    });
    return this.#running;
  }

  #progress(about: Job["about"], label: string, fraction: number | undefined): void {
    this.job = { about, label, fraction };
    this.#changed();
  }

  #leave(photo: Photo): void {
    if (this.query === photo) this.query = undefined;
  }

  /** After a crash the model may have come back on another device. */
  #describeModel(): void {
    this.model = this.#reid?.describe();
    this.deviceReason = this.model?.deviceReason ?? this.deviceReason;
  }

  async #describeDevice(): Promise<void> {
    this.deviceReason = await chooseDevice(this.device).then((choice) => choice.reason, messageOf);
    this.#changed();
  }
}

function modelProgress(progress: Progress, name: string): [label: string, fraction: number | undefined] {
  if (progress.phase !== "download") return [`Setting up ${name}`, undefined];
  const { what, loaded, total } = progress;
  const of = total === undefined ? "" : ` of ${megabytes(total)}`;
  return [`Loading ${what === "engine" ? "the program" : name}: ${megabytes(loaded)}${of}`, total && loaded / total];
}
