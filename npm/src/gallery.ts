/// <reference lib="esnext.disposable" preserve="true" />
import { isCamera } from "./adapt.js";
import { whenDropped } from "./dropped.js";
import { abortable, ReidError, throwIfAborted } from "./errors.js";
import { Feature, type FeatureData } from "./feature.js";
import { type ExtractedPhoto, type ExtractionOptions, extractPhotos } from "./gallery-extract.js";
import { whenFree, whileHeld } from "./gallery-lock.js";
import type {
  Answer,
  CameraMeans,
  GalleryAct,
  GalleryActName,
  GalleryCalls,
  GalleryGroups,
  GalleryHit,
  GalleryLoss,
  GalleryPeople,
  GalleryPhoto,
  GalleryPlace,
  GalleryPrecision,
  GalleryQuestion,
  GalleryStatus,
  Judgement,
  NewGallery,
  OpenedGallery,
  PersonId,
} from "./gallery-protocol.js";
import { type Extracted, extractAgain, type GetImage } from "./gallery-reextract.js";
import {
  type GallerySample,
  isPerson,
  isPhoto,
  type PersonRef,
  type PhotoDetails,
  type PhotoRef,
  personId,
  photoIds,
  sampleOf,
} from "./gallery-sample.js";
import { GallerySession, type GalleryStart } from "./gallery-session.js";
import { Grouping, type GroupingOptions, type Looks } from "./grouping.js";
import type { ImageSource } from "./image.js";
import { listOf } from "./lists.js";
import { A_FUNCTION, A_SIGNAL, ANYTHING, checkOptions, oneOf, type Rules } from "./options.js";
import type { OnProgress } from "./progress.js";
import type { ReIdentifier } from "./reidentifier.js";
import { isFatal } from "./session.js";
import { vectorOf } from "./similarity.js";
import { checkName, checkPlace, type KeptGallery, STORAGES, storageError } from "./storage.js";

export interface GalleryOptions {
  /** Whose features the gallery holds. It stays yours: closing the gallery does not dispose of it. */
  readonly reid: ReIdentifier;
  /**
   * What a new gallery keeps features in; one that there is stays as it is. "f16" halves the memory and the file, and
   * similarities move by less than 0.001. Default: "f32".
   */
  readonly precision?: GalleryPrecision | undefined;
  /**
   * Called, in place of acts rejecting with `storage-full` or `storage-failed`, where what they did holds, in memory, and could
   * not be kept.
   */
  readonly onStorageError?: ((error: ReidError) => void) | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AddOptions extends Pick<PhotoDetails, "camera" | "time">, ExtractionOptions {
  /** Whom all the photos show: a name, which makes a new person where nobody has it, or a person of the gallery. */
  readonly person?: string | PersonRef | undefined;
}

export interface SearchOptions {
  /** At most so many. Default: 10. */
  readonly top?: number | undefined;
  /** The camera that took the image that is searched with, where it is known. */
  readonly camera?: string | number | undefined;
  /** What is done with what cameras add to their photos. Default: "none", and `score` is the features' cosine. */
  readonly cameras?: CameraMeans | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SuggestOptions extends GroupingOptions {
  /** Questions that are not wanted again now: those that are shown, or were put off. */
  readonly besides?: readonly Pick<GalleryQuestion, "a" | "b">[] | undefined;
}

export interface GroupsOptions extends GroupingOptions {
  /** 0 (all one person) to 1 (nobody alike). Default: found from the photos. */
  readonly strictness?: number | undefined;
}

/** For acts that earlier answers may contradict. */
export interface ActOptions {
  /** Earlier answers that contradict it no longer hold. Default: it fails with `conflict`, and `sides` says which. */
  readonly despite?: boolean | undefined;
}

/** What a gallery takes. */
export interface GalleryUsage {
  /** Of its file as last written; undefined where it is in memory only. */
  readonly bytes: number | undefined;
  readonly place: GalleryPlace | "memory";
  /** What everything of this site takes, and may take, in bytes, as far as the browser tells. */
  readonly used: number | undefined;
  readonly quota: number | undefined;
  /** Whether the browser has promised not to clear it away by itself when room runs out. */
  readonly persisted: boolean;
}

const GALLERY_OPTIONS: Rules<GalleryOptions> = {
  reid: [(reid) => typeof (reid as ReIdentifier | null)?.extract === "function", "a ReIdentifier"],
  precision: oneOf("f32", "f16"),
  onStorageError: A_FUNCTION,
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const FREE: Rules<Pick<GalleryOptions, "signal">> = { signal: A_SIGNAL };

const ADD: Rules<AddOptions> = {
  camera: [isCamera, "a name or a number"],
  time: ANYTHING,
  person: [(person) => typeof person === "string" || isPerson(person), "a name, or a person of the gallery"],
  onError: oneOf("throw", "skip"),
  onImageError: A_FUNCTION,
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const REEXTRACT: Rules<ExtractionOptions> = {
  onError: oneOf("throw", "skip"),
  onImageError: A_FUNCTION,
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const ACT: Rules<ActOptions> = { despite: oneOf(true, false) };

const ENROL: Rules<ActOptions & { readonly name?: string | undefined }> = {
  ...ACT,
  name: [(name) => typeof name === "string", "a text"],
};

const GROUPING: Rules<GroupingOptions> = {
  cameras: oneOf("none", "centre", "standardise"),
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const GROUPS: Rules<GroupsOptions> = {
  ...GROUPING,
  strictness: [
    (s) => typeof s === "number" && s >= 0 && s <= 1,
    "a number from 0 (all one person) to 1 (nobody alike)",
  ],
};

const SUGGEST: Rules<SuggestOptions> = { ...GROUPING, besides: [Array.isArray, "an array of questions"] };

const SEARCH: Rules<SearchOptions> = {
  top: [(top) => Number.isInteger(top) && (top as number) >= 1, "a whole number of at least 1"],
  camera: [isCamera, "a name or a number"],
  cameras: oneOf("none", "centre", "standardise"),
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

/** Longer than this nobody wants to wait for the next question: groups of a few answers ago will do. */
const PATIENCE_MS = 2000;
const isSlow = ({ milliseconds }: Grouping) => milliseconds > PATIENCE_MS;
/** So many photos are grouped in well under a second. */
const QUICKLY_GROUPED = 1000;

/** A gallery's file is in memory twice while it is read, and WebAssembly has 4 GB. */
const MAX_FILE_BYTES = 1024 ** 3;

/**
 * Photos and the people that they show: what users said of them stays, is undone and redone, and is kept in the browser or in a
 * `.reid` file, the same that the `reid` command reads. It lives in a worker of its own. Everything that changes it is one step
 * of undo, and where the gallery is kept, is kept when its promise resolves.
 *
 * Acts reject with a `ReidError` and leave the gallery as it was: `no-photo` and `no-person` for what is not there (any more);
 * `name-taken`; `conflict` where earlier answers contradict it, with `sides`; `read-only` where another tab has the gallery;
 * `bad-input`, `disposed` or `internal`. After `storage-full` and `storage-failed` what was done holds, in memory, and what was
 * kept before is whole: `save` tries again.
 */
export class Gallery {
  readonly #session: GallerySession;
  readonly #reid: ReIdentifier;
  readonly #onStorageError: ((error: ReidError) => void) | undefined;
  #status: GalleryStatus | undefined;
  #opened: OpenedGallery;
  #name: string | undefined;
  #closed: Promise<void> | undefined;
  #grouping: Grouping | undefined;
  /** Settled when nothing is being grouped. */
  #growing: Promise<unknown> = Promise.resolve();
  /** As asked for last. */
  #strictness: number | undefined;

  readonly #kept: () => void;

  private constructor(
    session: GallerySession,
    { reid, onStorageError }: GalleryOptions,
    opened: OpenedGallery,
    name: string | undefined,
  ) {
    this.#kept = whenDropped(this, () => {
      session.close(new ReidError("disposed", "Nobody holds this gallery any more.")).catch(() => {});
    });
    this.#session = session;
    this.#reid = reid;
    this.#onStorageError = onStorageError;
    this.#opened = opened;
    this.#name = name;
  }

  /**
   * The gallery of that name, which the browser keeps, or a new one; asks the browser not to clear it away by itself. In a
   * second tab it is `readOnly`. Where its features are another model's, it is `outdated`.
   * Rejects with a `ReidError`: `damaged-gallery` or `newer-gallery` for one that cannot be read, which stays as it is;
   * `storage-full`, `storage-failed`, `bad-input`, `aborted`, `http`, `network`, `disposed` or `internal`.
   */
  static async open(name: string, options: GalleryOptions): Promise<Gallery> {
    checkName(name);
    checkPlace();
    // In Firefox a person answers this, perhaps never: it is not waited for.
    globalThis.navigator?.storage?.persist?.().catch(() => {});
    return Gallery.#start((gallery) => ({ call: "openGallery", request: { name, ...gallery } }), options, name);
  }

  /** An empty gallery in memory only. `keep` has the browser keep it, `toBlob` makes a file of it. Rejects as `open` does. */
  static create(options: GalleryOptions): Promise<Gallery> {
    return Gallery.#start((request) => ({ call: "createGallery", request }), options);
  }

  /**
   * A gallery in memory from a `.reid` file. What of the file could not be read, `losses` tells.
   * Rejects with a `ReidError`: `no-gallery` for what is no such file, `damaged-gallery`, `newer-gallery`, or as `open` does.
   */
  static async fromBlob(file: Blob, options: GalleryOptions): Promise<Gallery> {
    if (!(file instanceof Blob)) throw new ReidError("bad-input", "A .reid file was expected, as a File or Blob.");
    if (file.size > MAX_FILE_BYTES) {
      throw new ReidError(
        "out-of-memory",
        `The file is over ${MAX_FILE_BYTES / 1024 ** 3} GB, more than a tab can read.`,
      );
    }
    return Gallery.#start(() => ({ call: "readGallery", request: { file } }), options);
  }

  /** The galleries that the browser keeps, by name. Rejects with `storage-failed`. */
  static async list(): Promise<KeptGallery[]> {
    checkPlace();
    const lists = await Promise.allSettled(STORAGES.map((storage) => storage.list()));
    if (lists.every(({ status }) => status === "rejected"))
      throw storageError((lists[0] as PromiseRejectedResult).reason);
    const galleries = new Map<string, KeptGallery>();
    for (const list of lists) {
      if (list.status === "rejected") continue;
      for (const gallery of list.value) if (!galleries.has(gallery.name)) galleries.set(gallery.name, gallery);
    }
    return [...galleries.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * Deletes what the browser keeps of a gallery, for good; false when there is none. Rejects with a `ReidError`: `in-use` while
   * it is open anywhere, `storage-failed`, `bad-input`.
   */
  static async delete(name: string): Promise<boolean> {
    checkName(name);
    checkPlace();
    return whileHeld(name, async () => {
      const removed = await Promise.allSettled(STORAGES.map((storage) => storage.remove(name)));
      if (removed.some((result) => result.status === "fulfilled" && result.value)) return true;
      const failed = removed.filter((result) => result.status === "rejected");
      if (failed.length === STORAGES.length) throw storageError(failed[0]?.reason);
      return false;
    });
  }

  /**
   * Resolves as soon as nobody has the gallery of that name open, here or in another tab: opened then, it can be changed.
   * Rejects with `bad-input` and `aborted`.
   */
  static async whenFree(name: string, options: Pick<GalleryOptions, "signal"> = {}): Promise<void> {
    checkName(name);
    checkOptions("options", options, FREE);
    await whenFree(name, options.signal);
  }

  static async #start(
    start: (gallery: NewGallery) => GalleryStart,
    options: GalleryOptions,
    name?: string,
  ): Promise<Gallery> {
    checkOptions("options", options ?? {}, GALLERY_OPTIONS);
    const { reid, precision = "f32", onProgress, signal } = options ?? {};
    if (!reid)
      throw new ReidError("bad-input", "`options.reid` must be a ReIdentifier: a gallery holds a model's features.");
    const { fingerprint, featureDim: dim } = reid.describe();
    const made = start({ model: { fingerprint, dim }, precision });
    const { session, opened, status } = await GallerySession.open(made, onProgress, signal);
    const gallery = new Gallery(session, options, opened, name);
    gallery.#status = status;
    return gallery;
  }

  /** Under which the browser keeps it; undefined where it is in memory only. */
  get keptAs(): string | undefined {
    return this.#name;
  }

  /** Another tab has it: here it can be looked at and searched, as it was when it was opened, and acts fail with `read-only`. */
  get readOnly(): boolean {
    return this.#opened.readOnly;
  }

  /** What of its file could not be read. */
  get losses(): readonly GalleryLoss[] {
    return this.#opened.losses;
  }

  /**
   * Its features are of another model than `reid` is now, after a fine-tune too: `add` and searching with images fail with
   * `other-model` until `reextract` has made them anew. Everything else goes on.
   */
  get outdated(): boolean {
    return this.#state.fingerprint !== this.#reid.describe().fingerprint;
  }

  /** Of the model whose features it holds. */
  get fingerprint(): string {
    return this.#state.fingerprint;
  }

  /** How many photos there are, hidden ones too. */
  get size(): number {
    return this.#state.photos;
  }

  /** How many of them have no feature: they are neither grouped nor found before `reextract`. */
  get withoutFeatures(): number {
    return this.#state.withoutFeatures;
  }

  /** What `undo` would take back; undefined when there is nothing. */
  get canUndo(): GalleryActName | undefined {
    return this.#state.undo;
  }

  /** What `redo` would do again. */
  get canRedo(): GalleryActName | undefined {
    return this.#state.redo;
  }

  /** As told by the last reply. */
  get #state(): GalleryStatus {
    return this.#status as GalleryStatus;
  }

  /**
   * Adds photos, each of one person, head to foot, as `extract` takes them; what is known of each may come along. A photo that
   * the gallery has, by its content and box, is not added a second time. The photos in order; null for bad images, with
   * `onError: "skip"`. One step of undo, and with a `person` who has no name a second; nothing is added where it fails or is cancelled.
   * Rejects as acts and as `extract` do, and with `other-model` while the gallery is `outdated`.
   */
  async add(
    images: Iterable<ImageSource | GallerySample>,
    options?: AddOptions & { readonly onError?: "throw" },
  ): Promise<GalleryPhoto[]>;
  async add(images: Iterable<ImageSource | GallerySample>, options: AddOptions): Promise<(GalleryPhoto | null)[]>;
  async add(given: Iterable<ImageSource | GallerySample>, options: AddOptions = {}): Promise<(GalleryPhoto | null)[]> {
    checkOptions("options", options, ADD);
    const images = listOf(given, "Photos");
    this.#mayChange();
    this.#mayCompare();
    const { person } = options;
    const samples = images.map((image, index) => sampleOf(image, index, options));
    const lookup = {
      hashes: (contents: (Blob | Uint8Array<ArrayBuffer>)[]) => this.#call("contentHashes", { contents }),
      known: async (photos: GalleryCalls["findPhotos"]["request"]["photos"]) =>
        [...(await this.#call("findPhotos", { photos }))].map((id) => id >= 0),
    };
    const extracted = await extractPhotos(samples, this.#reid, lookup, options);
    throwIfAborted(options.signal);
    // Of the same photo given twice the first.
    const byKey = new Map<string, ExtractedPhoto>();
    for (const photo of extracted) if (photo && !byKey.has(keyOf(photo))) byKey.set(keyOf(photo), photo);
    const unique = [...byKey.values()];
    if (unique.length === 0) return extracted.map(() => null);
    const before = this.size;
    const name = typeof person === "string" ? person : person !== undefined ? await this.#nameOf(person) : undefined;
    const ids = await this.#call("addPhotos", {
      person: name,
      fingerprint: unique.find(({ feature }) => feature)?.feature?.fingerprint ?? this.fingerprint,
      photos: unique.map(({ sample, hash, feature }) => ({
        ...sample.record,
        hash,
        ...(feature && { quality: feature.quality }),
      })),
      features: unique.map(({ feature }) => feature?.values),
      thumbnails: unique.map(({ thumbnail }) => thumbnail),
    });
    try {
      if (person !== undefined && name === undefined) await this.#assign(ids, person);
    } catch (error) {
      if (this.size > before) await this.#call("undo", {});
      throw error;
    }
    await this.#keep();
    const views = await this.#call("photos", { photos: ids });
    const viewOf = new Map(unique.map((photo, i) => [keyOf(photo), views[i] as GalleryPhoto]));
    return extracted.map((photo) => (photo ? (viewOf.get(keyOf(photo)) as GalleryPhoto) : null));
  }

  /**
   * The photos most like an image, a feature, a photo of the gallery (its others), or a person (those that are not confirmed for
   * anybody, by the person's confirmed photos), the most alike first. Hidden photos are not found.
   * The verdicts come from the gallery's groups, which are made for it where there are none and the photos are few.
   * Rejects with a `ReidError`: `other-model` for features of another model than the gallery's; `no-photo`, `no-person`,
   * `no-feature`; for images as `extract` does.
   */
  async search(
    target: ImageSource | FeatureData | PersonRef | Pick<GalleryPhoto, "id" | "hash">,
    options: SearchOptions = {},
  ): Promise<GalleryHit[]> {
    checkOptions("options", options, SEARCH);
    const { top = 10, camera, cameras = "none", onProgress, signal } = options;
    const how = { top, cameras };
    if (isPerson(target)) {
      const person = personId(target);
      const hits = await this.#call("searchPerson", { person, ...how });
      const view = (await this.people()).people.find(({ id }) => id === person);
      const theirs = await this.photos(view?.confirmed.length ? view.confirmed : (view?.suggested ?? []));
      return this.#judged(hits, () => this.#looks(theirs.filter(({ hasFeature }) => hasFeature)), options);
    }
    if (isPhoto(target)) {
      const photos = await this.photos([target]);
      const hits = await this.#call("searchPhoto", { photo: target.id, ...how });
      return this.#judged(hits, () => this.#looks(photos), options);
    }
    const feature = isFeature(target) ? target : await this.#featureOf(target, onProgress, signal);
    const { values, fingerprint } = vectorOf(feature, "The feature");
    const row = Float32Array.from(values);
    const of = camera === undefined || camera === null ? undefined : String(camera);
    const request = { feature: row, fingerprint, camera: of, ...how };
    const hits = await abortable(this.#call("searchFeature", request), signal);
    return this.#judged(hits, async () => ({ rows: row, cameras: [of] }), options);
  }

  /** Hits with what is to be said of them, where that is quickly known. */
  async #judged(hits: GalleryHit[], queries: () => Promise<Looks>, options: SearchOptions): Promise<GalleryHit[]> {
    const known = this.#grouping || this.#state.photos <= QUICKLY_GROUPED;
    if (hits.length === 0 || !known) return hits;
    const { signal } = options;
    const looks = await Promise.all([queries(), this.#looks(hits.map(({ photo }) => photo))]);
    const judgement = this.#byGroups({ signal }, isSlow, (grouping) => grouping.judge(...looks));
    const judged = await abortable(judgement, signal);
    return hits.map((hit, i) => ({ ...hit, ...judged[i] }));
  }

  async #looks(photos: readonly GalleryPhoto[]): Promise<Looks> {
    const rows = await this.#call("features", { photos: photos.map(({ id }) => id) });
    return { rows, cameras: photos.map(({ camera }) => camera) };
  }

  async #featureOf(image: ImageSource, onProgress?: OnProgress, signal?: AbortSignal): Promise<FeatureData> {
    this.#mayCompare();
    const [feature] = await this.#reid.extract([image], { onProgress, signal });
    return feature as Feature;
  }

  /**
   * From which probabilities on the verdicts of `search` are "same" and "different", and how often these are wrong; undefined
   * where there are no groups to tell it from. Groups are made for it where there are none.
   * Rejects with a `ReidError`: `aborted`, `disposed` or `internal`.
   */
  async judgement(options: GroupingOptions = {}): Promise<Judgement | undefined> {
    checkOptions("options", options, GROUPING);
    return this.#byGroups(options, isSlow, (grouping) => grouping.judgement());
  }

  /** Everybody, and the photos of nobody that is known, as they are now. */
  people(): Promise<GalleryPeople> {
    return this.#call("people", {});
  }

  /** All photos from the first added on, hidden ones too; or these. */
  photos(photos?: PhotoRef | readonly PhotoRef[]): Promise<GalleryPhoto[]> {
    return this.#run(() => this.#call("photos", { photos: photos === undefined ? undefined : photoIds(photos) }));
  }

  /**
   * The features that the gallery has of photos, in their order, without flags. `reextract` takes them again where their model
   * comes back. Rejects with a `ReidError`: `no-photo`, `no-feature`, `disposed` or `internal`.
   */
  async features(photos: PhotoRef | readonly PhotoRef[]): Promise<Feature[]> {
    const { fingerprint } = this;
    const views = await this.photos(photos);
    const { rows } = await this.#looks(views);
    const dim = rows.length / Math.max(1, views.length);
    return views.map(
      ({ quality }, i) => new Feature(rows.slice(i * dim, (i + 1) * dim), quality ?? 0, [], fingerprint),
    );
  }

  /** The small picture that is kept of a photo, a JPEG at most 160 pixels high; undefined where there is none. */
  async thumbnail(photo: PhotoRef): Promise<Blob | undefined> {
    const file = await this.#call("thumbnail", { photo: photoIds(photo)[0] as number });
    return file && new Blob([file], { type: "image/jpeg" });
  }

  /**
   * Groups the photos anew, by their features and by what is known of them: what a user confirmed stays, the others become
   * suggestions of who has most of their group, or nobody's. Groupings one after the other, as when a slider moves, are one
   * step of undo. Photos that stay as they are, are not compared a second time. Another strictness takes a moment then.
   * Rejects as acts do, and with `aborted`, upon which nothing has changed.
   */
  async groups(options: GroupsOptions = {}): Promise<GalleryGroups> {
    checkOptions("options", options, GROUPS);
    this.#mayChange();
    for (let tries = 3; ; tries--) {
      const cut = (grouping: Grouping) => grouping.groups(options.strictness);
      const { groups, unsure, strictness } = await this.#byGroups(options, undefined, cut);
      throwIfAborted(options.signal);
      try {
        if (groups.length + unsure.length > 0) await this.#change("act", { act: { act: "group", groups, unsure } });
        this.#strictness = options.strictness;
        return { ...(await this.people()), strictness };
      } catch (error) {
        // A photo was removed meanwhile.
        if ((error as ReidError).code !== "no-photo" || tries === 1) throw error;
      }
    }
  }

  /**
   * The question whose answer tells most: whether two groups, a few photos each, show one person, as far as that is neither
   * known nor was ever asked. `answer` takes its photos as they are. Undefined when there is none left.
   * Rejects with a `ReidError`: `aborted`, `disposed` or `internal`.
   */
  async suggest(options: SuggestOptions = {}): Promise<GalleryQuestion | undefined> {
    checkOptions("options", options, SUGGEST);
    const { besides = [], ...how } = options;
    const pairs = besides.flatMap(({ a, b }) => a.flatMap((one) => b.flatMap((other) => [one, other])));
    const asked = Uint32Array.from([...(await this.#call("asked", {})), ...pairs]);
    for (let count = 16; ; count *= 4) {
      const ask = (grouping: Grouping) => grouping.questions(this.#strictness, asked, count);
      const questions = await this.#byGroups(how, isSlow, ask);
      const question = await this.#call("openQuestion", { questions });
      if (question || questions.length < count) return question;
    }
  }

  /** Uses the groups as `#grouped` gives them, and once more if their worker dies of it. */
  async #byGroups<T>(
    options: GroupingOptions,
    stale: ((held: Grouping) => boolean) | undefined,
    use: (grouping: Grouping) => Promise<T>,
  ): Promise<T> {
    const once = async () => use(await this.#grouped(options, stale));
    return once().catch((error: unknown) => {
      if (!isFatal(error) || this.#closed !== undefined) throw error;
      return once();
    });
  }

  /** The groups of the photos as they are, grown anew where they have changed, but for those that may be `stale`. */
  #grouped(options: GroupingOptions, stale?: (held: Grouping) => boolean): Promise<Grouping> {
    // One after the other: whoever asks meanwhile takes what the one before has grown.
    const grouped = this.#growing.then(async () => {
      const held = this.#grouping?.ended ? undefined : this.#grouping;
      if (held?.fingerprint === this.fingerprint && stale?.(held)) return held;
      const { cameras = held?.cameras ?? "centre" } = options;
      if (held?.cameras === cameras && held.key === (await this.#call("groupingKey", {}))) return held;
      held?.close();
      this.#grouping = undefined;
      const input = await this.#call("groupingInput", {});
      const grouping = await Grouping.grow(input, this.fingerprint, { ...options, cameras });
      if (this.#closed !== undefined) grouping.close();
      this.#grouping = grouping;
      return grouping;
    });
    this.#growing = grouped.catch(() => {});
    return grouped;
  }

  /** Gives a person a name, trimmed; null takes it off. Two people with names are different people. */
  async name(person: PersonRef, name: string | null): Promise<void> {
    await this.#act(() => ({ act: "name", person: personId(person), name }));
  }

  /** Makes one person of two: `from` is no more, and `into` keeps its name, or takes that of `from` when it has none. */
  async merge(into: PersonRef, from: PersonRef, options: ActOptions = {}): Promise<void> {
    checkOptions("options", options, ACT);
    const { despite = false } = options;
    await this.#act(() => ({ act: "merge", into: personId(into), from: personId(from), despite }));
  }

  /**
   * Makes a new person of each part, all different from each other and from whom they were taken for: one part takes photos
   * out of a person. The new people.
   * Of a person the photos are grouped anew, as if nobody had confirmed them, and each group is a person: the one with most of
   * the confirmed photos stays who it was. Rejects with `bad-input` for one with fewer than two photos that can be compared, and
   * with `aborted`, upon which nothing has changed.
   */
  async split(who: PersonRef | readonly (readonly PhotoRef[])[], options: GroupingOptions = {}): Promise<PersonId[]> {
    if (Array.isArray(who)) return this.#act(() => ({ act: "split", parts: who.map(photoIds) }));
    checkOptions("options", options, GROUPING);
    this.#mayChange();
    const person = personId(who as PersonRef);
    const view = (await this.people()).people.find(({ id }) => id === person);
    if (!view) throw new ReidError("no-person", `there is no person ${person} in the gallery`);
    const input = await this.#call("groupingInput", { doubted: person });
    const { cameras = this.#grouping?.cameras ?? "centre" } = options;
    const grouping = await Grouping.grow(input, this.fingerprint, { ...options, cameras });
    try {
      const parts = await abortable(grouping.parts([...view.confirmed, ...view.suggested]), options.signal);
      return (await this.#change("splitInto", { person, parts })).slice(1);
    } finally {
      grouping.close();
    }
  }

  /** Makes a new person of photos, with a name or without one. */
  async enrol(
    photos: PhotoRef | readonly PhotoRef[],
    options: ActOptions & { readonly name?: string | undefined } = {},
  ): Promise<PersonId> {
    checkOptions("options", options, ENROL);
    const { name, despite = false } = options;
    const [person] = await this.#act(() => ({
      act: "enrol",
      photos: photoIds(photos),
      despite,
      ...(name !== undefined && { name }),
    }));
    return person as PersonId;
  }

  /**
   * Says whom photos show, for good: a person of the gallery, or one of that name, who is made where there is none. With null
   * they are not whom they were taken for, and nobody's.
   */
  async move(
    photos: PhotoRef | readonly PhotoRef[],
    person: PersonRef | string | null,
    options: ActOptions = {},
  ): Promise<void> {
    checkOptions("options", options, ACT);
    const { despite = false } = options;
    await this.#run(async () => {
      this.#mayChange();
      const ids = photoIds(photos);
      if (person === null) await this.#call("act", { act: { act: "release", photos: ids } });
      else await this.#assign(ids, person, despite);
      await this.#keep();
    });
  }

  /** Says that the photos that a person is suggested for are theirs: these, or all. */
  async confirm(person: PersonRef, photos?: PhotoRef | readonly PhotoRef[]): Promise<void> {
    await this.#run(async () => {
      const id = personId(person);
      const suggested = async () => (await this.people()).people.find((view) => view.id === id)?.suggested ?? [];
      const theirs = photos === undefined ? await suggested() : photoIds(photos);
      if (theirs.length > 0) await this.#act(() => ({ act: "confirm", person: id, photos: theirs }));
    });
  }

  /** The person is no more; their photos are nobody's. */
  async dissolve(person: PersonRef): Promise<void> {
    await this.#act(() => ({ act: "dissolve", person: personId(person) }));
  }

  /** What to show a person by; null leaves it to the gallery. */
  async cover(person: PersonRef, photo: PhotoRef | null): Promise<void> {
    await this.#act(() => ({
      act: "cover",
      person: personId(person),
      photo: photo === null ? null : (photoIds(photo)[0] as number),
    }));
  }

  /** Hidden photos are kept, but neither shown, grouped nor found; with `hidden: false` they are shown again. */
  async hide(photos: PhotoRef | readonly PhotoRef[], hidden = true): Promise<void> {
    await this.#act(() => ({ act: "hide", photos: photoIds(photos), hidden }));
  }

  /** Takes photos out; undo brings them back. */
  async remove(photos: PhotoRef | readonly PhotoRef[]): Promise<void> {
    await this.#act(() => ({ act: "remove", photos: photoIds(photos) }));
  }

  /**
   * Whether photos `a` and photos `b`, a few each as they were shown, are of one person. It is never forgotten and never asked
   * again; "same" makes them one person's, "different" holds for everybody that they are.
   */
  async answer(
    a: PhotoRef | readonly PhotoRef[],
    b: PhotoRef | readonly PhotoRef[],
    answer: Answer,
    options: ActOptions = {},
  ): Promise<void> {
    checkOptions("options", options, ACT);
    const { despite = false } = options;
    await this.#act(() => ({ act: "answer", a: photoIds(a), b: photoIds(b), answer, despite }));
  }

  /** Takes the last act back, of those before it was loaded too; which it was, undefined when there is none. */
  undo(): Promise<GalleryActName | undefined> {
    return this.#change("undo", {});
  }

  /** Does once more what was undone last; which it was, undefined when there is nothing. */
  redo(): Promise<GalleryActName | undefined> {
    return this.#change("redo", {});
  }

  /**
   * Extracts the features anew with `reid` as it is now, after a fine-tune or with another model; people, answers and the log
   * stay. `getImage` gives the picture of each photo, as it was added, or its feature by this model where that is known, or
   * nothing where neither is at hand: such photos stay without a feature. Where the model is the same, only those that have none
   * are asked for. Nothing changes where it fails or is cancelled. Rejects as acts and as `extract` do, and with `other-model`
   * for a feature that is another's.
   */
  async reextract(getImage: GetImage, options: ExtractionOptions = {}): Promise<Extracted> {
    checkOptions("options", options, REEXTRACT);
    this.#mayChange();
    const photos = await this.photos();
    const { outdated, fingerprint } = this;
    const wanted = outdated ? photos : photos.filter(({ hasFeature }) => !hasFeature);
    const { features, missing, ids } = await extractAgain(wanted, this.#reid, getImage, options);
    throwIfAborted(options.signal);
    // Trained meanwhile: those that were kept are to be made anew, too.
    if (!outdated && features.some((feature) => feature.fingerprint !== fingerprint)) this.#mayCompare();
    if (outdated || ids.length > 0) await this.#putFeatures(ids, features);
    return { extracted: ids.length, missing };
  }

  async #putFeatures(photos: readonly number[], features: readonly Feature[]): Promise<void> {
    const { fingerprint, featureDim } = this.#reid.describe();
    const model = { fingerprint: features[0]?.fingerprint ?? fingerprint, dim: features[0]?.length ?? featureDim };
    const rows = new Float32Array(photos.length * model.dim);
    for (const [i, { values }] of features.entries()) rows.set(values, i * model.dim);
    await this.#change("changeModel", { model, photos: Uint32Array.from(photos), rows });
  }

  /** The whole gallery as a `.reid` file: `fromBlob` and the `reid` command read it. */
  toBlob(): Promise<Blob> {
    return this.#call("toBlob", {});
  }

  /**
   * Has the browser keep a gallery that is in memory, under a name that is free, from now on. Rejects with a `ReidError`:
   * `name-taken`, `in-use`, `storage-full`, `storage-failed`, `bad-input`.
   */
  async keep(name: string): Promise<void> {
    checkName(name);
    checkPlace();
    globalThis.navigator?.storage?.persist?.().catch(() => {});
    const { losses } = this.#opened;
    this.#opened = { ...(await this.#call("keepGallery", { name })), losses };
    const { fingerprint, featureDim: dim } = this.#reid.describe();
    this.#session.keptAs(name, { model: { fingerprint, dim }, precision: "f32" });
    this.#name = name;
  }

  /** Writes what is not kept yet, as after `storage-full`. Rejects with `storage-full` or `storage-failed`. */
  async save(): Promise<void> {
    await this.#call("save", {});
  }

  /** The space that it takes. */
  async usage(): Promise<GalleryUsage> {
    const storage = globalThis.navigator?.storage as StorageManager | undefined;
    const [bytes, estimate, persisted] = await Promise.all([
      this.#call("keptBytes", {}),
      storage?.estimate?.().catch(() => undefined),
      storage?.persisted?.().catch(() => false),
    ]);
    const { usage: used, quota } = estimate ?? {};
    return { bytes, place: this.#opened.place ?? "memory", used, quota, persisted: persisted ?? false };
  }

  /** Waits for what is under way, and ends the worker: another tab may open the gallery then. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#kept();
      try {
        await this.#session.close(new ReidError("disposed", "This gallery was closed. Open it again."));
      } finally {
        this.#grouping?.close();
      }
    })();
    return this.#closed;
  }

  /** As `close`. */
  dispose(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Undefined where a person has no name. */
  async #nameOf(person: PersonRef): Promise<string | undefined> {
    const id = personId(person);
    const view = (await this.people()).people.find((view) => view.id === id);
    if (!view) throw new ReidError("no-person", `there is no person ${id} in the gallery`);
    return view.name;
  }

  /** Confirms photos for a person, or for who has, or gets, that name. */
  async #assign(photos: readonly number[], person: PersonRef | string, despite = false): Promise<void> {
    const known = typeof person === "string" ? await this.#call("named", { name: person }) : personId(person);
    const act: GalleryAct =
      known === undefined
        ? { act: "enrol", name: person as string, photos, despite }
        : { act: "move", person: known, photos, despite };
    await this.#call("act", { act });
  }

  #act(act: () => GalleryAct): Promise<PersonId[]> {
    return this.#run(() => this.#change("act", { act: act() }));
  }

  /** A change, kept when it resolves. */
  async #change<K extends keyof GalleryCalls>(
    call: K,
    request: GalleryCalls[K]["request"],
  ): Promise<GalleryCalls[K]["reply"]> {
    const value = await this.#call(call, request);
    await this.#keep();
    return value;
  }

  /** Keeps what was done. */
  async #keep(): Promise<void> {
    const onError = this.#onStorageError;
    await this.save().catch((error: unknown) => {
      const isOfStorage = error instanceof ReidError && error.code.startsWith("storage-");
      if (!onError || !isOfStorage) throw error;
      onError(error);
    });
  }

  async #call<K extends keyof GalleryCalls>(
    call: K,
    request: GalleryCalls[K]["request"],
  ): Promise<GalleryCalls[K]["reply"]> {
    const { value, status } = await this.#session.call(call, request);
    this.#status = status;
    return value;
  }

  /** What throws rejects. */
  async #run<T>(use: () => Promise<T>): Promise<T> {
    return use();
  }

  #mayChange(): void {
    if (!this.readOnly) return;
    throw new ReidError("read-only", `The gallery "${this.keptAs}" is open in another tab: close it there first.`);
  }

  #mayCompare(): void {
    if (!this.outdated) return;
    throw new ReidError(
      "other-model",
      "The gallery's features are of another model than `reid` is now, and cannot be compared with its: call `reextract`. " +
        "People and answers stay.",
    );
  }
}

/** What makes it the same photo. */
function keyOf({ hash, sample }: ExtractedPhoto): string {
  return JSON.stringify([hash, sample.record.box]);
}

function isFeature(target: unknown): target is FeatureData {
  return target instanceof Feature || (typeof target === "object" && target !== null && "fingerprint" in target);
}
