import { batch, computed, signal } from "@preact/signals";
import {
  type ConflictSide,
  type ExtractionOptions,
  type Feature,
  Gallery,
  type GalleryPerson,
  type GalleryPhoto,
  type GallerySample,
  type PersonId,
  type PhotoId,
  type ReIdentifier,
  ReidError,
} from "webreid";
import { isOffline, messageOf, reasonOf } from "../errors.ts";
import { words } from "../words.ts";
import { type GalleryActs, History, type LocalAct, type Steps } from "./history.ts";
import type { Jobs, Work } from "./jobs.ts";
import type { Model } from "./model.ts";
import { whenOnline } from "./network.ts";
import type { Notices } from "./notices.ts";
import { Numbers } from "./numbers.ts";

interface ActOptions<T> extends Omit<GalleryActs, "steps"> {
  readonly done?: string | ((result: T) => string);
  readonly regroup?: boolean;
  /** How many of the gallery's acts it was. Default: one. */
  readonly steps?: (result: T) => number;
  /** In place of `steps`: which of the gallery's acts it was. */
  readonly as?: Steps;
}

/** So long after photos were grouped the next that come wait, in times that it took. */
const PATIENCE = 3;

/**
 * The people on the photos: the gallery, and what is known of it now. What the user does goes through `act`: it is kept in the
 * log, can be undone, and the photos that nobody spoke of are grouped anew.
 */
export class People {
  readonly photos = signal<ReadonlyMap<PhotoId, GalleryPhoto>>(new Map());
  /** The biggest first: those with a name and those without. */
  readonly all = signal<readonly GalleryPerson[]>([]);
  /** Of those without a name: what they are called by. */
  readonly numbers = signal<ReadonlyMap<PersonId, number>>(new Map());
  readonly unsure = signal<readonly PhotoId[]>([]);
  /** 0 (all one person) to 1 (nobody alike); undefined: found from the photos. */
  readonly strictness = signal<number | undefined>(undefined);
  /** As last used. */
  readonly usedStrictness = signal<number | undefined>(undefined);
  /** Whether what a camera adds to all its photos is taken off; of no effect where no cameras are known. */
  readonly centre = signal(true);
  readonly isReadOnly = signal(false);
  /** The features are of another model than is loaded. */
  readonly isOutdated = signal(false);
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  /** How many acts of this visit hold: fewer after an undo. */
  readonly acts = signal(0);
  /** Whether the photos are being grouped. */
  readonly isGrouping = signal(false);
  /** Acts that were asked for and are not done. */
  readonly #waiting = signal(0);
  /** Whether who is who may be another in a moment: an act is being done, or the photos are being grouped. */
  readonly isBusy = computed(() => this.#waiting.value > 0 || this.isGrouping.value);
  readonly visible = computed(() => [...this.photos.value.values()].filter(({ hidden }) => !hidden));
  readonly cameras = computed(() => new Set(this.visible.value.flatMap(({ camera }) => camera ?? [])));
  readonly byId = computed(() => new Map(this.all.value.map((person) => [person.id, person])));
  readonly byHash = computed(() => {
    const byHash = new Map<string, GalleryPhoto[]>();
    for (const photo of this.visible.value) {
      const same = byHash.get(photo.hash);
      if (same) same.push(photo);
      else byHash.set(photo.hash, [photo]);
    }
    return byHash;
  });
  /** Counts the galleries: numbers of photos mean something in one of them only. */
  readonly generation = signal(0);
  readonly history = new History();
  /** Called when the user has done something that would be lost with the page. */
  onAct: () => void = () => {};
  /** Called when what was done holds, and could not be kept. */
  onNotKept: (error: ReidError) => void = () => {};

  readonly #jobs: Jobs;
  readonly #model: Model;
  readonly #notices: Notices;
  #gallery: Promise<Gallery> | undefined;
  /** How it is made. */
  #make = async (): Promise<Gallery> => {
    this.#held = await this.create(await this.#model.ready);
    return this.#held;
  };
  #held: Gallery | undefined;
  #acts: Promise<unknown> = Promise.resolve();
  /** Settled when nothing is being grouped. */
  #grouping: Promise<void> = Promise.resolve();
  #groupAgain = false;
  #lastGrouping = { ended: 0, took: 0 };
  readonly #numbers = new Numbers();

  constructor(jobs: Jobs, model: Model, notices: Notices) {
    this.#jobs = jobs;
    this.#model = model;
    this.#notices = notices;
  }

  /** The gallery, made when it is first needed. Rejects with a `ReidError`. */
  gallery(): Promise<Gallery> {
    if (!this.#gallery) {
      const made = this.#make();
      this.#gallery = made;
      // What could not be had is asked for once more the next time.
      made.catch(() => {
        if (this.#gallery === made) this.#gallery = undefined;
      });
    }
    return this.#gallery;
  }

  /** One of an earlier visit is there from now on. Where it cannot be opened, a new one takes its place. */
  open(name: string, onError: (error: unknown) => void): void {
    this.#make = async () => {
      const reid = await this.#model.ready;
      const gallery = await Gallery.open(name, { reid, onStorageError: this.onNotKept }).catch((error: unknown) => {
        if (isOffline(error)) throw error;
        onError(error);
        return this.create(reid);
      });
      await this.hold(gallery);
      return gallery;
    };
  }

  /** An empty one, or what is in a file. */
  create(reid: ReIdentifier, file?: Blob): Promise<Gallery> {
    const options = { reid, onStorageError: this.onNotKept };
    return file ? Gallery.fromBlob(file, options) : Gallery.create(options);
  }

  /** The gallery, where there is one. */
  get held(): Gallery | undefined {
    return this.#held;
  }

  /** Another gallery takes the place of the one before, which is closed. */
  async hold(gallery: Gallery): Promise<void> {
    const before = this.#held;
    this.#held = gallery;
    this.#gallery = Promise.resolve(gallery);
    this.generation.value++;
    await before?.close();
    await this.refresh();
  }

  /** The same people with another model: the features are to be extracted anew. */
  async changeModel(reid: ReIdentifier): Promise<void> {
    const gallery = this.#held;
    if (!gallery) return;
    const name = gallery.keptAs;
    if (name === undefined) {
      await this.hold(await this.create(reid, await gallery.toBlob()));
    } else {
      await this.reopen(name, reid);
    }
  }

  /** Opens anew what is kept. */
  async reopen(name: string, reid?: ReIdentifier): Promise<void> {
    const { onNotKept: onStorageError } = this;
    const before = this.#held;
    this.#held = undefined;
    await before?.close();
    await this.hold(await Gallery.open(name, { reid: reid ?? (await this.#model.ready), onStorageError }));
  }

  /** What is in the gallery now. */
  async refresh(): Promise<void> {
    const gallery = this.#held;
    if (!gallery) return;
    const [photos, { people, unsure }] = await Promise.all([gallery.photos(), gallery.people()]);
    if (gallery !== this.#held) return;
    const sorted = [...people].sort((a, b) => sizeOf(b) - sizeOf(a) || a.id - b.id);
    const names = new Set(people.map(({ name }) => name?.toLowerCase()));
    // Nobody is called as somebody else is named.
    const isTaken = (number: number) => names.has(words.people.unnamed(number).toLowerCase());
    batch(() => {
      this.photos.value = new Map(photos.map((photo) => [photo.id, photo]));
      this.numbers.value = this.#numbers.follow(sorted, isTaken);
      this.all.value = sorted;
      this.unsure.value = unsure;
      this.isReadOnly.value = gallery.readOnly;
      this.isOutdated.value = gallery.outdated;
    });
    this.#refreshUndo();
  }

  #refreshUndo(): void {
    this.acts.value = this.history.length;
    this.canUndo.value = this.history.canUndoLocal || this.#held?.canUndo !== undefined;
    this.canRedo.value = this.history.canRedoLocal || this.#held?.canRedo !== undefined;
  }

  /**
   * Adds what photos show, which is the last of the `steps` then. Of each the gallery's photo; null for those that could not be used,
   * which `onBad` is told of.
   */
  async add(
    samples: readonly GallerySample[],
    work: Pick<Work, "signal">,
    steps: () => Steps,
    onBad: (index: number, reason: string) => void = () => {},
  ): Promise<(GalleryPhoto | null)[]> {
    const gallery = await this.gallery();
    const added = await gallery.add(samples, {
      signal: work.signal,
      onError: "skip",
      onImageError: (error) => onBad(error.image?.index ?? 0, reasonOf(error)),
    });
    const known = this.photos.peek();
    // Photos that are there already are no step.
    if (added.some((photo) => photo && !known.has(photo.id))) steps().acts.push("add");
    await this.refresh();
    return added;
  }

  /**
   * Does what the user asked for, in the order asked. Where earlier answers contradict it, the user is asked which holds. Afterwards
   * `done`, if there is one, is said with a way back, and the other photos are grouped anew. What fails is said, and is undefined.
   */
  act<T>(
    what: (gallery: Gallery, despite: boolean) => Promise<T>,
    { done, regroup = true, steps, undone, redone, as }: ActOptions<T> = {},
  ): Promise<T | undefined> {
    return this.#inTurn(async () => {
      try {
        const gallery = await this.gallery();
        const result = await this.#despite((despite) => what(gallery, despite));
        if (result === undefined) return undefined;
        this.history.did(as ?? { steps: steps?.(result.value) ?? 1, undone, redone });
        this.onAct();
        this.#notices.dropUndo();
        await this.refresh();
        const text = typeof done === "function" ? done(result.value) : done;
        if (text) this.#notices.toast(text, () => void this.undo());
        if (regroup) void this.group();
        return result.value;
      } catch (error) {
        await this.refresh().catch(() => {});
        this.#notices.toast(words.people.failed(messageOf(error)));
        return undefined;
      }
    });
  }

  /** Does it when what was asked for before is done. */
  #inTurn<T>(what: () => Promise<T>): Promise<T> {
    this.#waiting.value++;
    const turn = this.#acts.then(what).finally(() => {
      this.#waiting.value--;
    });
    this.#acts = turn;
    return turn;
  }

  /** An act of the page that the gallery knows nothing of, which has been done. */
  did(text: string, undo: () => void | Promise<void>, redo: () => void | Promise<void>, name = text): void {
    this.remember({ name, undo, redo });
    this.#notices.toast(text, () => void this.undo());
  }

  /** As `did`, where what was done is in sight with its own way back, and need not be said. */
  remember(act: LocalAct): void {
    this.history.did(act);
    this.#notices.dropUndo();
    this.#refreshUndo();
  }

  /** What the page does by itself, in steps that are yet to come. */
  began(steps: Steps): void {
    this.history.did(steps);
    this.#notices.dropUndo();
    this.#refreshUndo();
  }

  undo(): Promise<void> {
    return this.#takeBack("undo");
  }

  redo(): Promise<void> {
    return this.#takeBack("redo");
  }

  /** Groups the photos that nobody spoke of. Asked for while that goes on, it is done once more after it. */
  group(): Promise<void> {
    if (this.isGrouping.peek()) {
      this.#groupAgain = true;
      return this.#grouping;
    }
    this.isGrouping.value = true;
    this.#grouping = (async () => {
      do {
        this.#groupAgain = false;
        await this.#groupOnce();
      } while (this.#groupAgain);
    })().finally(() => {
      this.isGrouping.value = false;
    });
    return this.#grouping;
  }

  /** Groups if that was not just done: for photos that come one after the other. */
  groupNowAndThen(): Promise<void> {
    const { ended, took } = this.#lastGrouping;
    return performance.now() - ended < PATIENCE * took ? Promise.resolve() : this.group();
  }

  setStrictness(strictness: number | undefined): Promise<void> {
    this.strictness.value = strictness;
    return this.group();
  }

  setCentre(centre: boolean): Promise<void> {
    this.centre.value = centre;
    return this.group();
  }

  get camerasAre(): "centre" | "none" {
    return this.centre.peek() && this.cameras.peek().size > 1 ? "centre" : "none";
  }

  nameOf(id: PersonId | undefined): string | undefined {
    return id === undefined ? undefined : this.byId.value.get(id)?.name;
  }

  /** What to call somebody. */
  labelOf(id: PersonId): string {
    return this.nameOf(id) ?? words.people.unnamed(this.numbers.value.get(id) ?? id);
  }

  /** Whoever comes next is numbered from 1 on. */
  numberAnew(): void {
    this.#numbers.clear();
  }

  async #groupOnce(): Promise<void> {
    const gallery = this.#held;
    if (!gallery || gallery.readOnly || gallery.size - gallery.withoutFeatures < 2) return;
    const started = performance.now();
    try {
      const strictness = this.strictness.peek();
      const groups = await gallery.groups({ strictness, cameras: this.camerasAre });
      this.usedStrictness.value = groups.strictness;
      await this.refresh();
    } catch (error) {
      if (isOffline(error)) whenOnline(() => void this.group());
      if (this.#held === gallery) this.#notices.toast(words.people.notGrouped(messageOf(error)));
    }
    const ended = performance.now();
    this.#lastGrouping = { ended, took: ended - started };
  }

  async #despite<T>(what: (despite: boolean) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    try {
      return { value: await what(false) };
    } catch (error) {
      if (!(error instanceof ReidError) || error.code !== "conflict") throw error;
      const change = await this.#notices.ask({
        title: words.people.conflictTitle,
        text: this.#conflict(error.sides),
        yes: words.people.conflictYes,
        no: words.people.conflictNo,
      });
      return change ? { value: await what(true) } : undefined;
    }
  }

  #conflict(sides: readonly [ConflictSide, ConflictSide] | undefined): string {
    const [a, b] = (sides ?? []).map((side) => this.nameOf(side.person) ?? this.photos.peek().get(side.photo)?.name);
    return a && b && a !== b ? words.people.conflictBetween(a, b) : words.people.conflict;
  }

  #takeBack(way: "undo" | "redo"): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#grouping;
        const act = await this.history[way](this.#held);
        this.#notices.dropUndo();
        await this.refresh();
        this.#refreshUndo();
        if (act === undefined) return;
        const name = typeof act === "string" ? words.acts[act] : act.name;
        this.#notices.toast(way === "undo" ? words.people.undone(name) : words.people.redone(name));
      } catch (error) {
        this.#notices.toast(words.people.failed(messageOf(error)));
      }
    });
  }

  /** Has every photo looked at by the model as it is now; `getImage` gives the picture, as it was added, or what is known of it. */
  reextract(getImage: (photo: GalleryPhoto) => Promise<Blob | ImageData | Feature | undefined>): Promise<void> {
    return this.#jobs.run("photos", async (work) => {
      const gallery = await this.gallery();
      const options: ExtractionOptions = {
        signal: work.signal,
        onError: "skip",
        onProgress: (progress) => {
          if (progress.phase === "extract" || progress.phase === "read") {
            const { done, total } = progress;
            work.progress(words.people.lookingAgain(done, total), done / total);
          }
        },
      };
      const extracted = await gallery.reextract(getImage, options).catch((error: unknown) => {
        // Another gallery has taken its place.
        if (this.#held !== gallery) return undefined;
        throw error;
      });
      if (!extracted) return;
      const { missing } = extracted;
      if (missing.length > 0) this.#notices.toast(words.people.withoutPicture(missing.length));
      await this.refresh();
      await this.group();
    });
  }
}

/** How many photos. */
export function sizeOf({ confirmed, suggested }: GalleryPerson): number {
  return confirmed.length + suggested.length;
}
