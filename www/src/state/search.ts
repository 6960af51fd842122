import { signal } from "@preact/signals";
import type { GalleryPhoto, PersonId, PhotoId } from "webreid";
import { isAborted, messageOf } from "../errors.ts";
import { words } from "../words.ts";
import type { CutOffs } from "./cut-off.ts";
import type { Notices } from "./notices.ts";
import type { People } from "./people.ts";

/** Who is searched for. */
export type Wanted = { readonly person: PersonId } | { readonly photo: PhotoId };

/** How likely it is the person; `alike` where nothing tells. */
export type Band = "likely" | "maybe" | "unlikely" | "alike";

export const BANDS: readonly Band[] = ["likely", "maybe", "unlikely", "alike"];

export interface Found {
  readonly photo: PhotoId;
  readonly band: Band;
  /** 0…1; undefined where nothing tells. */
  readonly probability: number | undefined;
  /** The cosine of the features, −1…1. */
  readonly score: number;
}

export type SaidOf = "same" | "different";

/** More are not looked through by anyone. */
const MOST = 5000;
/** So many pictures of a person stand for them in an answer. */
const SHOWN = 3;

/** A search for somebody among all others, and what the user says of what it found. */
export class Search {
  readonly of: Wanted;
  /** Undefined before the first search is done. */
  readonly found = signal<readonly Found[] | undefined>(undefined);
  readonly isBusy = signal(false);
  readonly error = signal("");
  readonly #people: People;
  readonly #notices: Notices;
  readonly #cutOffs: CutOffs;
  #abort = new AbortController();
  /** Each with the number of acts that there were after it: with fewer it was undone. */
  readonly #said = signal<readonly { readonly photo: PhotoId; readonly answer: SaidOf; readonly acts: number }[]>([]);

  constructor(of: Wanted, people: People, notices: Notices, cutOffs: CutOffs) {
    this.of = of;
    this.#people = people;
    this.#notices = notices;
    this.#cutOffs = cutOffs;
  }

  /** Searches, anew with what was said since. */
  async go(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.isBusy.value = true;
    this.error.value = "";
    try {
      const gallery = await this.#people.gallery();
      const target = "person" in this.of ? this.of.person : this.#people.photos.peek().get(this.of.photo);
      if (target === undefined) throw new Error();
      const top = Math.max(1, Math.min(MOST, gallery.size));
      const hits = await gallery.search(target, { top, cameras: this.#people.camerasAre, signal });
      const known = new Set(this.confirmed().map(({ id }) => id));
      const cutOff = this.#cutOffs.of(gallery.fingerprint);
      const found = hits
        .filter(({ photo }) => !known.has(photo.id))
        .map(({ photo, score, probability, verdict }): Found => {
          const band = verdict ? BY_VERDICT[verdict] : (cutOff?.bandOf(score) ?? "alike");
          return { photo: photo.id, band, score, probability };
        });
      if (signal.aborted) return;
      this.#said.value = [];
      // By the mean with all pictures of a person; the score is the best with one.
      this.found.value = found.sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0) || b.score - a.score);
    } catch (error) {
      if (!isAborted(error) && !signal.aborted) this.error.value = words.search.failed(messageOf(error));
    } finally {
      if (!signal.aborted) this.isBusy.value = false;
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  /** The person searched for, where it is known who that is. */
  get person(): PersonId | undefined {
    if ("person" in this.of) return this.of.person;
    const photo = this.#people.photos.value.get(this.of.photo);
    return photo?.confirmed ? photo.person : undefined;
  }

  /** What is searched with. */
  get queries(): readonly GalleryPhoto[] {
    const photos = this.#people.photos.value;
    if ("photo" in this.of) return present([photos.get(this.of.photo)]);
    const { confirmed = [], suggested = [] } = this.#people.byId.value.get(this.of.person) ?? {};
    return present((confirmed.length > 0 ? confirmed : suggested).map((id) => photos.get(id)));
  }

  /** What is known to show the person, besides a photo that is searched with. */
  confirmed(): readonly GalleryPhoto[] {
    const { person, of } = this;
    const photos = this.#people.photos.value;
    const ids = person === undefined ? [] : (this.#people.byId.value.get(person)?.confirmed ?? []);
    return present(ids.map((id) => photos.get(id))).filter(({ id }) => !("photo" in of && of.photo === id));
  }

  /** What people call whom is searched for. */
  get name(): string {
    return this.#people.nameOf(this.person) ?? words.search.somebody;
  }

  said(photo: PhotoId): SaidOf | undefined {
    const acts = this.#people.acts.value;
    return this.#said.value.findLast((said) => said.photo === photo && said.acts <= acts)?.answer;
  }

  /** How many answers there are that the search does not know of. */
  get answers(): number {
    const acts = this.#people.acts.value;
    return new Set(this.#said.value.filter((said) => said.acts <= acts).map(({ photo }) => photo)).size;
  }

  async say(photo: GalleryPhoto, answer: SaidOf): Promise<void> {
    if (this.said(photo.id) === answer) return;
    const isDone = answer === "same" ? await this.#same(photo) : await this.#different(photo);
    if (!isDone) return;
    const acts = this.#people.acts.peek();
    const standing = this.#said.peek().filter((said) => said.acts < acts);
    this.#said.value = [...standing, { photo: photo.id, answer, acts }];
  }

  async #same(photo: GalleryPhoto): Promise<boolean> {
    const { person, name, of } = this;
    const done = words.search.same(name, photo.name);
    const theirs = photo.confirmed ? photo.person : undefined;
    const [a, b] = [this.#people.nameOf(person), this.#people.nameOf(theirs)];
    if (person !== undefined && theirs !== undefined && theirs !== person && a !== undefined && b !== undefined) {
      return this.#merge(person, a, theirs, b);
    }
    const isDone = await this.#people.act(
      async (gallery, despite) => {
        if ("person" in of) await gallery.move(photo.id, of.person, { despite });
        else await gallery.answer(of.photo, photo.id, "same", { despite });
        return true;
      },
      { done },
    );
    return isDone ?? false;
  }

  /** Two people with names become one only when that was asked for. */
  async #merge(into: PersonId, a: string, from: PersonId, b: string): Promise<boolean> {
    const { askMergeTitle: title, askMerge, askMergeYes: yes, askMergeNo: no, merged } = words.search;
    if (!(await this.#notices.ask({ title, text: askMerge(a, b), yes, no }))) return false;
    const merge = this.#people.act((gallery, despite) => gallery.merge(into, from, { despite }).then(() => true), {
      done: merged(a, b),
    });
    return (await merge) ?? false;
  }

  async #different(photo: GalleryPhoto): Promise<boolean> {
    const others = this.queries.filter(({ id }) => id !== photo.id).slice(0, SHOWN);
    const isDone = await this.#people.act(
      async (gallery, despite) => {
        if (others.length === 0) await gallery.move(photo.id, null);
        else await gallery.answer(others, photo.id, "different", { despite });
        return true;
      },
      { done: words.search.different(this.name, photo.name) },
    );
    return isDone ?? false;
  }
}

const BY_VERDICT = { same: "likely", unsure: "maybe", different: "unlikely" } as const;

function present<T>(all: readonly (T | undefined)[]): readonly T[] {
  return all.filter((one): one is T => one !== undefined);
}
