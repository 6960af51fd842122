import { signal } from "@preact/signals";
import type { GalleryPerson, GalleryPhoto, PersonId, PhotoId } from "webreid";

const NOTHING: ReadonlySet<number> = new Set();

/** What the user has picked, to do something with all of it: photos, or people. */
export class Selection {
  readonly photos = signal<ReadonlySet<PhotoId>>(NOTHING);
  readonly people = signal<ReadonlySet<PersonId>>(NOTHING);
  /** Where a range begins. */
  #anchor: number | undefined;

  get isEmpty(): boolean {
    return this.photos.value.size + this.people.value.size === 0;
  }

  only(photo: PhotoId): void {
    this.#anchor = photo;
    this.#pick(new Set([photo]), NOTHING);
  }

  toggle(photo: PhotoId): void {
    this.#anchor = photo;
    this.#pick(toggled(this.photos.peek(), photo), NOTHING);
  }

  /** From where the last was picked up to this one, in the order of `all`. */
  extend(photo: PhotoId, all: readonly PhotoId[]): void {
    const range = between(all, this.#anchor, photo);
    this.#anchor ??= photo;
    this.#pick(new Set(range), NOTHING);
  }

  set(photos: Iterable<PhotoId>): void {
    this.#pick(new Set(photos), NOTHING);
  }

  togglePerson(person: PersonId): void {
    this.#anchor = person;
    this.#pick(NOTHING, toggled(this.people.peek(), person));
  }

  extendPeople(person: PersonId, all: readonly PersonId[]): void {
    const range = between(all, this.#anchor, person);
    this.#anchor ??= person;
    this.#pick(NOTHING, new Set([...this.people.peek(), ...range]));
  }

  clear(): void {
    this.#anchor = undefined;
    if (this.photos.peek().size + this.people.peek().size > 0) this.#pick(NOTHING, NOTHING);
  }

  /** Lets go of what is not there any more. */
  keep(photos: ReadonlyMap<PhotoId, GalleryPhoto>, people: ReadonlyMap<PersonId, GalleryPerson>): void {
    const stays = [...this.photos.peek()].filter((photo) => photos.has(photo));
    const stay = [...this.people.peek()].filter((person) => people.has(person));
    if (stays.length < this.photos.peek().size) this.photos.value = new Set(stays);
    if (stay.length < this.people.peek().size) this.people.value = new Set(stay);
  }

  #pick(photos: ReadonlySet<PhotoId>, people: ReadonlySet<PersonId>): void {
    this.photos.value = photos;
    this.people.value = people;
  }
}

function toggled(set: ReadonlySet<number>, one: number): ReadonlySet<number> {
  const others = new Set(set);
  if (!others.delete(one)) others.add(one);
  return others;
}

function between(all: readonly number[], from: number | undefined, to: number): readonly number[] {
  const [a, b] = [from === undefined ? -1 : all.indexOf(from), all.indexOf(to)];
  return a < 0 || b < 0 ? [to] : all.slice(Math.min(a, b), Math.max(a, b) + 1);
}
