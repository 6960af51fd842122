import { signal } from "@preact/signals";
import { type GalleryPhoto, ReidError } from "webreid";
import { isAborted, isOffline, messageOf, Unreachable } from "../errors.ts";
import { cameraOf } from "../media/camera.ts";
import { giveBack } from "../media/give-back.ts";
import { whyNoPicture } from "../media/kind.ts";
import type { Pictures } from "../media/pictures.ts";
import { isVideo, lookAtVideo } from "../media/video.ts";
import { words } from "../words.ts";
import { Finding, type Sample } from "./finding.ts";
import type { Steps } from "./history.ts";
import type { Jobs, Work } from "./jobs.ts";
import type { Model } from "./model.ts";
import { whenOnline } from "./network.ts";
import type { Notices } from "./notices.ts";
import type { People } from "./people.ts";
import type { Pile, Source } from "./pile.ts";

/** Photos looked at in one go: few at first, so that something is there soon. */
const FIRST = 2;
const AT_ONCE = 8;
/** Of the photos that are taken apart in one go, together: each worker that decodes one holds it, and of each the people are held. */
const PIXELS = 16_000_000;
/** After so many photos, what has looked at them gives its memory back at once: what comes then needs it for a closer look at some. */
const MANY = 24;

/** Takes photos apart into people, as they come. */
export class Reading {
  readonly finding: Finding;
  /** Why it does not go on. */
  readonly stopped = signal("");
  readonly #jobs: Jobs;
  readonly #model: Model;
  readonly #pile: Pile;
  readonly #people: People;
  readonly #notices: Notices;
  readonly #pictures: Pictures;
  #running: Promise<void> | undefined;
  #run = this.#newRun();
  /** Photos that came again under another name. */
  #repeated = 0;
  /** Settled when nobody changes who is on the photos. */
  #changed: Promise<unknown> = Promise.resolve();

  constructor(jobs: Jobs, model: Model, pile: Pile, people: People, notices: Notices, pictures: Pictures) {
    this.#jobs = jobs;
    this.#model = model;
    this.#pile = pile;
    this.#people = people;
    this.#notices = notices;
    this.#pictures = pictures;
    this.finding = new Finding(model, pile, notices, (source, reason) => this.#reject(source, reason));
  }

  /** Reads what waits; what is added meanwhile too. Cancelled, it leaves the rest waiting. */
  go(): Promise<void> {
    this.#running ??= this.#jobs
      .run("photos", (work) => {
        this.stopped.value = "";
        return this.#read(work);
      })
      .catch((error: unknown) => {
        const left = this.#pile.sources.peek().filter(({ state }) => state === "reading");
        this.#pile.updateAll(new Set(left.map(({ id }) => id)), { state: "waiting" });
        if (isOffline(error)) whenOnline(() => void this.go());
        if (!isAborted(error)) {
          this.stopped.value = words.reading.stopped(messageOf(error));
          this.#notices.toast(this.stopped.peek());
        } else if (this.waiting > 0) this.#notices.say(words.reading.cancelled(this.waiting));
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** How many are not read yet. */
  get waiting(): number {
    return this.#pile.shown.peek().filter(({ state }) => state !== "read").length;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Changes who is on photos when no one else does, reading included: acts that belong together come one after the other. */
  exclusively<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changed.then(change);
    this.#changed = turn.catch(() => {});
    return turn;
  }

  async #read(work: Work): Promise<void> {
    const bad = this.#notices.problems.peek().length;
    let [photos, people] = [0, 0];
    this.#run = this.#newRun();
    // It is opened while the first photos are looked at. Where that fails, it is said when somebody is to be added.
    this.#people.gallery().catch(() => {});
    let next = this.#next(FIRST);
    while (next.batch.length > 0) {
      const { looks } = next;
      const total = photos + this.waiting;
      const tell = (done: number) => work.progress(words.reading.progress(done, total), done / total);
      tell(photos);
      const looked = await looks;
      tell(photos + looked.length / 2);
      // While the model looks at these, the small pictures of the next are made, where both fit into memory.
      const isLarge = inParts(looked).length > 1;
      if (!isLarge) next = this.#next(AT_ONCE);
      let left = looked.length;
      for (const part of inParts(looked)) {
        people += await this.#readPart(part, work);
        photos += part.length;
        left -= part.length;
        tell(photos + left / 2);
        void this.#people.groupNowAndThen();
      }
      if (isLarge || next.batch.length === 0) next = this.#next(AT_ONCE);
    }
    if (photos >= MANY) this.#model.rest();
    await this.#people.group();
    if (this.#repeated > 0) this.#notices.toast(words.reading.already(this.#repeated));
    this.#repeated = 0;
    const problems = this.#notices.problems.peek().length - bad;
    this.#notices.say(words.reading.done(photos, people, this.#people.all.peek().length, problems));
  }

  /** What is taken back together: photos, and who is on them. */
  #newRun(): { readonly steps: Steps; readonly ids: Set<number> } {
    const ids = new Set<number>();
    const undone = () => this.#pile.updateAll(ids, { isRemoved: true });
    const redone = () => this.#pile.updateAll(ids, { isRemoved: false });
    return { steps: { name: words.acts.add, acts: [], undone, redone }, ids };
  }

  /** Of the reading, unless the user has done something meanwhile: that stands between. */
  #steps(): Steps {
    if (!this.#people.history.isLast(this.#run.steps)) {
      this.#run = this.#newRun();
      this.#people.began(this.#run.steps);
    }
    return this.#run.steps;
  }

  /** The next photos, which are looked at from now on; a video comes by itself. */
  #next(size: number): { readonly batch: readonly Source[]; readonly looks: Promise<Source[]> } {
    const waiting = this.#pile.shown.peek().filter(({ state }) => state === "waiting");
    const video = waiting.findIndex(({ file }) => isVideo(file));
    const batch = waiting.slice(0, video < 0 ? size : Math.max(1, Math.min(size, video)));
    this.#pile.updateAll(new Set(batch.map(({ id }) => id)), { state: "reading" });
    const looked = Promise.all(batch.map((source) => this.#look(source)));
    const looks = looked.then((all) => all.filter((source) => source !== undefined));
    // It is said when it is their turn, which may not come.
    looks.catch(() => {});
    return { batch, looks };
  }

  /** Takes the photo's measure; undefined for what is no photo, or one that is there already. */
  async #look(source: Source): Promise<Source | undefined> {
    const { id, file } = source;
    // It was looked at before reading was cancelled.
    if (source.digest) return source;
    try {
      const look = await (isVideo(file) ? lookAtVideo(file) : this.#pictures.look(file));
      const { width, height, digest, thumbnail, model, time } = look;
      if (!this.#pile.get(id)) return undefined;
      const same = this.#pile.sources.peek().find((other) => other.digest === digest && other.id !== id);
      this.#pile.forget(new Set(same ? [same.isRemoved ? same.id : id] : []));
      if (same && !same.isRemoved) {
        this.#repeated++;
        return undefined;
      }
      const change = {
        width,
        height,
        digest,
        camera: cameraOf(source.path, model),
        time,
        picture: thumbnail,
        thumbnail: URL.createObjectURL(thumbnail),
      };
      this.#pile.update(id, change);
      return { ...source, ...change };
    } catch (error) {
      // Not the photo's fault.
      if (error instanceof Unreachable) throw error;
      const isSaid = isVideo(file) || error instanceof ReidError;
      this.#reject(source, isSaid ? messageOf(error) : await whyNoPicture(file, messageOf(error)));
      return undefined;
    }
  }

  /** How many people were added. */
  async #readPart(looked: readonly Source[], work: Work): Promise<number> {
    const isThere = ({ id }: Source) => this.#pile.get(id)?.isRemoved !== true;
    const batch = looked.filter(isThere);
    const { samples, wholes } = await this.finding.find(batch, work);
    const added = await this.exclusively(async () => {
      const wanted = samples.filter(({ source }) => isThere(source));
      const added = await this.add(wanted, work, () => this.#steps());
      // Those on whom nobody was found are taken back, too.
      const stay = batch.filter(({ id }) => this.#pile.get(id));
      if (stay.length > 0) this.#steps();
      for (const { id } of stay) this.#run.ids.add(id);
      return added;
    });
    for (const source of looked) {
      const state = isThere(source) ? "read" : "waiting";
      this.#pile.update(source.id, { state, ...(wholes.has(source.id) && { isWhole: true }) });
    }
    return added.filter((photo) => photo !== null).length;
  }

  /** Puts people into the gallery, which is one of the `steps`; of each the gallery's photo, null for what could not be used. */
  async add(samples: readonly Sample[], work: Work, steps: () => Steps): Promise<(GalleryPhoto | null)[]> {
    if (samples.length === 0) return [];
    const started = performance.now();
    const added = await this.#people.add(
      samples.map(({ sample }) => sample),
      work,
      steps,
      (index, reason) => {
        const { source, sample } = samples[index] as Sample;
        // A piece that cannot be used leaves the photo's others.
        if (sample.image === source.file) this.#reject(source, reason);
      },
    );
    this.#model.speed.value = (1000 * samples.length) / (performance.now() - started);
    for (const source of new Set(samples.map(({ source }) => source))) {
      const { hashes = [], cuts = [] } = this.#pile.get(source.id) ?? {};
      const theirs = added.flatMap((photo, i) => {
        const { source: of, sample } = samples[i] as Sample;
        return photo && of === source ? [[photo.hash, sample.image as Blob] as const] : [];
      });
      this.#pile.update(source.id, {
        hashes: [...new Set([...hashes, ...theirs.map(([hash]) => hash)])],
        ...(isVideo(source.file) && { cuts: new Map([...cuts, ...theirs]) }),
      });
    }
    for (const { sample } of samples) if (sample.image instanceof ImageData) giveBack(sample.image.data.buffer);
    return added;
  }

  /** The people on a photo who are shown. */
  peopleOn(source: Source): readonly GalleryPhoto[] {
    const { value: byHash } = this.#people.byHash;
    return source.hashes.flatMap((hash) => byHash.get(hash) ?? []);
  }

  #reject({ id, path }: Source, reason: string): void {
    this.#notices.problem(path, reason);
    this.#pile.forget(new Set([id]));
  }
}

/** So many that their pixels fit into memory; a larger photo by itself. */
function inParts(photos: readonly Source[]): Source[][] {
  const parts: Source[][] = [];
  let pixels = Number.POSITIVE_INFINITY;
  for (const photo of photos) {
    const { width = 0, height = 0 } = photo;
    pixels += width * height;
    if (pixels > PIXELS) {
      parts.push([]);
      pixels = width * height;
    }
    parts.at(-1)?.push(photo);
  }
  return parts;
}
