import type { DetectedPerson, GallerySample, PersonBox, PersonDetector } from "webreid";
import { ReidError } from "webreid";
import { isAborted, messageOf, reasonOf } from "../errors.ts";
import { cameraOf } from "../media/camera.ts";
import type { Pictures } from "../media/pictures.ts";
import { words } from "../words.ts";
import type { Jobs, Work } from "./jobs.ts";
import type { Model } from "./model.ts";
import type { Notices } from "./notices.ts";
import type { People } from "./people.ts";
import type { Pile, Source } from "./pile.ts";

/** Photos looked at in one go: few at first, so that something is there soon. */
const FIRST = 2;
const AT_ONCE = 8;
/** A picture so much higher than wide and so small is cut to one person already. */
const CROP = { proportion: 1.5, pixels: 500_000 } as const;

/** Takes photos apart into people, as they come. */
export class Reading {
  readonly #jobs: Jobs;
  readonly #model: Model;
  readonly #pile: Pile;
  readonly #people: People;
  readonly #notices: Notices;
  readonly #pictures: Pictures;
  #running: Promise<void> | undefined;
  /** Said once: without what finds people, photos are taken whole. */
  #withoutDetector = false;

  constructor(jobs: Jobs, model: Model, pile: Pile, people: People, notices: Notices, pictures: Pictures) {
    this.#jobs = jobs;
    this.#model = model;
    this.#pile = pile;
    this.#people = people;
    this.#notices = notices;
    this.#pictures = pictures;
  }

  /** Reads what waits; what is added meanwhile too. Cancelled, it leaves the rest waiting. */
  go(): Promise<void> {
    this.#running ??= this.#jobs
      .run("photos", (work) => this.#read(work))
      .catch((error: unknown) => {
        this.#pile.sources
          .peek()
          .filter(({ state }) => state === "reading")
          .forEach(({ id }) => {
            this.#pile.update(id, { state: "waiting" });
          });
        if (!isAborted(error)) this.#notices.toast(words.reading.stopped(messageOf(error)));
        else if (this.waiting > 0) this.#notices.say(words.reading.cancelled(this.waiting));
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  get waiting(): number {
    return this.#pile.sources.peek().filter(({ state, isRemoved }) => state !== "read" && !isRemoved).length;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  async #read(work: Work): Promise<void> {
    const bad = this.#notices.problems.peek().length;
    let read = 0;
    let size = FIRST;
    for (;;) {
      const waiting = this.#pile.sources.peek().filter(({ state, isRemoved }) => state === "waiting" && !isRemoved);
      if (waiting.length === 0) break;
      const total = read + waiting.length;
      const tell = (done: number) => work.progress(words.reading.progress(done, total), done / total);
      tell(read);
      const batch = waiting.slice(0, size);
      for (const { id } of batch) this.#pile.update(id, { state: "reading" });
      // Small pictures first, which need no model.
      const looked = (await Promise.all(batch.map((source) => this.#look(source)))).filter((source) => source !== null);
      tell(read + batch.length / 2);
      await this.#readBatch(looked, work);
      read += batch.length;
      size = AT_ONCE;
      void this.#people.groupNowAndThen();
    }
    await this.#people.group();
    const [people, photos] = [this.#people.all.peek().length, this.#people.visible.peek().length];
    const problems = this.#notices.problems.peek().length - bad;
    this.#notices.say(words.reading.done(read, photos, people, problems));
  }

  /** Takes the photo's measure; null for what is no photo, or one that is there already. */
  async #look(source: Source): Promise<Source | null> {
    const { id, file } = source;
    try {
      const { width, height, digest, thumbnail } = await this.#pictures.look(file);
      const same = this.#pile.sources.peek().find((other) => other.digest === digest && other.id !== id);
      if (same && !same.isRemoved) {
        this.#pile.forget(new Set([id]));
        return null;
      }
      if (same) this.#pile.forget(new Set([same.id]));
      const { camera, time } = await cameraOf(source);
      const change = {
        width,
        height,
        digest,
        camera,
        time,
        picture: thumbnail,
        thumbnail: URL.createObjectURL(thumbnail),
      };
      this.#pile.update(id, change);
      return { ...source, ...change };
    } catch (error) {
      this.#reject(source, words.reading.noPicture(messageOf(error)));
      return null;
    }
  }

  async #readBatch(batch: readonly Source[], work: Work): Promise<void> {
    const scenes = batch.filter((source) => !isCrop(source));
    const detector = scenes.length > 0 ? await this.#detector(work) : undefined;
    const samples: { readonly source: Source; readonly sample: GallerySample }[] = [];
    for (const source of batch) if (isCrop(source) || !detector) samples.push({ source, sample: whole(source) });
    const found = detector ? await this.#detect(detector, scenes, work) : [];
    for (const { source, people } of found) {
      if (detector) samples.push(...(await this.#cut(detector, source, people, work)));
    }
    await this.#add(samples, work);
    const read = new Set([...samples.map(({ source }) => source.id), ...found.map(({ source }) => source.id)]);
    for (const source of batch) {
      if (!read.has(source.id) || this.#pile.get(source.id)?.state !== "reading") continue;
      this.#pile.update(source.id, { state: "read", isWhole: isCrop(source) || !detector });
    }
  }

  /** What finds people; without it, photos are taken whole, which is said. */
  async #detector(work: Work): Promise<PersonDetector | undefined> {
    try {
      return await this.#model.detector(work);
    } catch (error) {
      if (isAborted(error)) throw error;
      if (!this.#withoutDetector) this.#notices.toast(words.reading.withoutDetector(messageOf(error)));
      this.#withoutDetector = true;
      return undefined;
    }
  }

  async #detect(
    detector: PersonDetector,
    scenes: readonly Source[],
    work: Work,
  ): Promise<{ readonly source: Source; readonly people: readonly DetectedPerson[] }[]> {
    let left = [...scenes];
    while (left.length > 0) {
      try {
        const people = await detector.detect(
          left.map(({ file }) => file),
          { signal: work.signal },
        );
        return left.map((source, i) => ({ source, people: people[i] ?? [] }));
      } catch (error) {
        const bad = error instanceof ReidError && error.image ? left[error.image.index] : undefined;
        if (!bad) throw error;
        this.#reject(bad, reasonOf(error as ReidError));
        left = left.filter((source) => source !== bad);
      }
    }
    return [];
  }

  async #cut(
    detector: PersonDetector,
    source: Source,
    people: readonly { readonly box: PersonBox }[],
    work: Work,
  ): Promise<{ source: Source; sample: GallerySample }[]> {
    if (people.length === 0) return [];
    const boxes = people.map(({ box }) => box);
    const crops = await detector.crop(source.file, boxes, { signal: work.signal });
    return crops.map((image, i) => {
      const box = boxes[i] as PersonBox;
      return { source, sample: { ...details(source), image, box: rounded(box), photo: source.file } };
    });
  }

  async #add(samples: readonly { source: Source; sample: GallerySample }[], work: Work): Promise<void> {
    if (samples.length === 0) return;
    const started = performance.now();
    const added = await this.#people.add(
      samples.map(({ sample }) => sample),
      work,
      (index, reason) => {
        const { source, sample } = samples[index] as { source: Source; sample: GallerySample };
        // A piece that cannot be used leaves the photo's others.
        if (!sample.box) this.#reject(source, reason);
      },
    );
    this.#model.speed.value = (1000 * samples.length) / (performance.now() - started);
    const hashes = new Map<number, string>();
    for (const [i, photo] of added.entries())
      if (photo) hashes.set((samples[i] as { source: Source }).source.id, photo.hash);
    for (const [id, hash] of hashes) this.#pile.update(id, { hashes: [hash] });
  }

  /** Looks for people in a photo anew, or takes it whole. */
  async readAs(source: Source, isWhole: boolean): Promise<void> {
    const before = this.peopleOn(source).map(({ id }) => id);
    await this.#jobs.run("photos", async (work) => {
      const detector = isWhole ? undefined : await this.#model.detector(work);
      const [found] = detector ? await this.#detect(detector, [source], work) : [];
      const samples = detector
        ? await this.#cut(detector, source, found?.people ?? [], work)
        : [{ source, sample: whole(source) }];
      if (before.length > 0) await this.#people.act((gallery) => gallery.remove(before), { regroup: false });
      await this.#add(samples, work);
      this.#pile.update(source.id, { isWhole });
    });
    await this.#people.group();
  }

  /** Adds somebody whom the user has drawn a box around; the gallery's photo. */
  addBox(source: Source, box: PersonBox): Promise<number | undefined> {
    return this.#jobs.run("photos", async (work) => {
      const detector = await this.#model.detector(work);
      const [sample] = await this.#cut(detector, source, [{ box }], work);
      const added = sample && (await this.#people.add([sample.sample], work, () => {}));
      const photo = added?.[0];
      if (photo) this.#pile.update(source.id, { hashes: [...new Set([...source.hashes, photo.hash])], isWhole: false });
      return photo?.id;
    });
  }

  /** The people on a photo who are shown. */
  peopleOn(source: Source) {
    const { value: byHash } = this.#people.byHash;
    return source.hashes.flatMap((hash) => byHash.get(hash) ?? []);
  }

  #reject({ id, path }: Source, reason: string): void {
    this.#notices.problem(path, reason);
    this.#pile.forget(new Set([id]));
  }
}

export function isCrop({ width = 0, height = 0, isWhole }: Source): boolean {
  return isWhole ?? (height >= CROP.proportion * width && width * height <= CROP.pixels);
}

function details({ path, camera, time }: Source): Omit<GallerySample, "image"> {
  return { name: path, camera, time };
}

function whole(source: Source): GallerySample {
  return { ...details(source), image: source.file };
}

function rounded({ x, y, width, height }: PersonBox): PersonBox {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}
