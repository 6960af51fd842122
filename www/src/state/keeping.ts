import { effect, signal } from "@preact/signals";
import { Gallery, ReidError } from "webreid";
import { messageOf } from "../errors.ts";
import { words } from "../words.ts";
import type { CutOffs } from "./cut-off.ts";
import { BUILT_IN, type Model, type ModelSource } from "./model.ts";
import type { Notices } from "./notices.ts";
import type { People } from "./people.ts";
import type { Pile, Source } from "./pile.ts";
import {
  clearStore,
  forgetSources,
  type KeptModel,
  openStore,
  readSources,
  type Settings,
  type Store,
  writeSources,
} from "./store.ts";

/** Under which the browser keeps the people. */
const GALLERY = "photos";
/** Changes within so long are written together. */
const PAUSE_MS = 200;

/** What this page takes on the device, in bytes, as far as the browser tells. */
export interface Space {
  readonly used: number | undefined;
  readonly quota: number | undefined;
}

/** Keeps photos and people on the device, where the user asks for it, and has them there again the next time. */
export class Keeping {
  readonly isKept = signal(false);
  readonly space = signal<Space>({ used: undefined, quota: undefined });
  /** Whether something would be lost if the tab were closed now. */
  readonly isUnsaved = signal(false);

  readonly #model: Model;
  readonly #pile: Pile;
  readonly #people: People;
  readonly #notices: Notices;
  readonly #cutOffs: CutOffs;
  #store: Store | undefined;
  readonly #changed = new Map<number, Source>();
  readonly #forgotten = new Set<number>();
  /** Those whose files are written. */
  readonly #written = new Set<number>();
  #writing: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, pile: Pile, people: People, notices: Notices, cutOffs: CutOffs) {
    this.#model = model;
    this.#pile = pile;
    this.#people = people;
    this.#notices = notices;
    this.#cutOffs = cutOffs;
    pile.onChange = (source) => {
      this.#forgotten.delete(source.id);
      this.#changed.set(source.id, source);
      this.#soon();
    };
    pile.onForget = ({ id }) => {
      this.#changed.delete(id);
      this.#written.delete(id);
      this.#forgotten.add(id);
      this.#soon();
    };
    people.onNotKept = (error) => this.#notKept(error);
    people.onAct = () => {
      if (!this.isKept.peek()) this.isUnsaved.value = true;
    };
    addEventListener("beforeunload", (event) => {
      if (this.isUnsaved.peek()) event.preventDefault();
    });
    effect(() => {
      if (people.isReadOnly.value) this.#takeOver().catch(() => {});
    });
    effect(() => {
      const settings = this.#settings();
      if (this.isKept.peek()) void this.#write((store) => store.put("about", settings, "settings"));
    });
    effect(() => {
      const { value: source } = model.source;
      if (this.isKept.peek() && model.description.value) void this.#keepModel(source);
    });
  }

  /** What was kept at an earlier visit; the model that it was read with. */
  async restore(): Promise<ModelSource> {
    const store = await openStore().catch(() => undefined);
    this.#store = store;
    const settings = (await store?.get("about", "settings")) as Settings | undefined;
    if (!store || !settings) return BUILT_IN;
    const [sources, kept] = await Promise.all([readSources(store), store.get("about", "model")]);
    for (const { id } of sources) this.#written.add(id);
    this.#pile.restore(sources);
    this.#changed.clear();
    this.#use(settings);
    this.#people.open(GALLERY, (error) => this.#notices.toast(words.keep.notOpened(messageOf(error))));
    this.isKept.value = true;
    const model = kept as KeptModel | undefined;
    return model ? { name: model.name, fileName: model.file.name, weights: model.file } : BUILT_IN;
  }

  /** From now on everything is kept. Rejects where the browser cannot: nothing has changed then. */
  async keep(): Promise<void> {
    const store = await this.#open();
    const gallery = await this.#people.gallery();
    await gallery.keep(GALLERY).catch(async (error: unknown) => {
      if (!(error instanceof ReidError) || error.code !== "name-taken") throw error;
      const { replaceTitle, replaceText, replace, cancel } = words.keep;
      const sure = await this.#notices.ask({ title: replaceTitle, text: replaceText, yes: replace, no: cancel });
      if (!sure) throw error;
      await Gallery.delete(GALLERY);
      await gallery.keep(GALLERY);
    });
    try {
      await clearStore(store);
      const sources = this.#pile.sources.peek();
      await writeSources(store, sources, new Set(sources.map(({ id }) => id)));
      for (const { id } of sources) this.#written.add(id);
      await store.put("about", this.#settings(), "settings");
    } catch (error) {
      await this.#leave(store);
      throw error;
    }
    this.isKept.value = true;
    this.isUnsaved.value = false;
    await this.#keepModel(this.#model.source.peek());
    await this.measure();
  }

  /** Another tab has what is kept: as soon as that is closed, it is opened here, with all that was done there. */
  async #takeOver(): Promise<void> {
    await Gallery.whenFree(GALLERY);
    const store = this.#store;
    if (!store || !this.#people.isReadOnly.peek()) return;
    await this.#people.reopen(GALLERY);
    // A third one was quicker.
    if (this.#people.isReadOnly.peek()) return this.#takeOver();
    const settings = (await store.get("about", "settings")) as Settings | undefined;
    if (settings) this.#use(settings);
    const sources = await readSources(store);
    this.#pile.forget(new Set(this.#pile.sources.peek().map(({ id }) => id)));
    this.#pile.restore(sources);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changed.clear();
    this.#forgotten.clear();
    this.#written.clear();
    for (const { id } of sources) this.#written.add(id);
    this.#notices.toast(words.keep.free);
  }

  /** Deletes all that the browser keeps; what is on the page stays on it, in memory. */
  async deleteAll(): Promise<void> {
    const store = await this.#open();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    await this.#leave(store);
    this.isKept.value = false;
    this.isUnsaved.value = this.#people.visible.peek().length > 0;
    await this.measure();
  }

  /** Other people take the place of those here; where these are kept, those are from now on. */
  async replace(gallery: Gallery): Promise<void> {
    await this.#people.hold(gallery);
    if (!this.isKept.peek()) return;
    await Gallery.delete(GALLERY);
    await gallery.keep(GALLERY);
  }

  /** How much is taken now. */
  async measure(): Promise<void> {
    const { usage: used, quota } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
    this.space.value = { used, quota };
  }

  #use({ strictness, centre, cutOffs }: Settings): void {
    this.#people.strictness.value = strictness;
    this.#people.centre.value = centre;
    this.#cutOffs.kept.value = cutOffs;
  }

  #settings(): Settings {
    const { strictness, centre } = this.#people;
    return { strictness: strictness.value, centre: centre.value, cutOffs: this.#cutOffs.kept.value };
  }

  async #open(): Promise<Store> {
    this.#store ??= await openStore().catch((error: unknown) => {
      throw error instanceof DOMException ? new Error(words.keep.forbidden, { cause: error }) : error;
    });
    return this.#store;
  }

  /** The people go on in memory, and what was kept is gone. */
  async #leave(store: Store): Promise<void> {
    this.#written.clear();
    const gallery = this.#people.held;
    if (gallery?.keptAs !== undefined) {
      const reid = await this.#model.ready;
      await this.#people.hold(await this.#people.create(reid, await gallery.toBlob()));
    }
    await clearStore(store);
    await Gallery.delete(GALLERY);
  }

  async #keepModel(source: ModelSource): Promise<void> {
    const isBuiltIn = source.weights === undefined;
    const file = isBuiltIn ? undefined : await this.#model.save();
    await this.#write((store) =>
      file ? store.put("about", { name: source.name, file }, "model") : store.delete("about", "model"),
    );
  }

  #soon(): void {
    if (!this.isKept.peek() || this.#people.isReadOnly.peek()) return;
    // Not anew with each change: while photos are read they never pause.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const [changed, forgotten] = [[...this.#changed.values()], [...this.#forgotten]];
      const files = new Set(changed.map(({ id }) => id).filter((id) => !this.#written.has(id)));
      this.#changed.clear();
      this.#forgotten.clear();
      void this.#write(async (store) => {
        await writeSources(store, changed, files);
        await forgetSources(store, forgotten);
        for (const id of files) this.#written.add(id);
      });
    }, PAUSE_MS);
  }

  /** One after the other. What fails is said, and nothing that is on the page is lost by it. */
  #write(work: (store: Store) => Promise<unknown>): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      if (!this.#store || this.#people.isReadOnly.peek()) return;
      try {
        await work(this.#store);
      } catch (error) {
        this.#notKept(error);
      }
    });
    return this.#writing;
  }

  #notKept(error: unknown): void {
    const why = messageOf(error);
    this.#notices.toast(why === words.keep.noRoom ? words.keep.full : words.keep.failed(why));
    this.isUnsaved.value = true;
  }
}
