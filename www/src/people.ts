import type { Photo } from "./photos.ts";

export interface Person {
  readonly id: number;
  name: string;
  readonly photos: Set<Photo>;
}

/** Who is on which photo, as the user says. A photo shows one person; two photos may be known to show different ones. */
export class People {
  readonly #people = new Map<number, Person>();
  readonly #personOf = new Map<Photo, Person>();
  /** The photos that each photo was said not to be like. */
  readonly #different = new Map<Photo, Set<Photo>>();
  #nextId = 1;

  get all(): Person[] {
    return [...this.#people.values()];
  }

  of(photo: Photo): Person | undefined {
    return this.#personOf.get(photo);
  }

  /** A new person, called by a number until they are named. */
  create(name?: string): Person {
    const id = this.#nextId++;
    const person: Person = { id, name: name ?? `Person ${id}`, photos: new Set() };
    this.#people.set(id, person);
    return person;
  }

  /** Puts the photo into that person and out of any other; undefined: into none. */
  assign(photo: Photo, person: Person | undefined): void {
    this.#personOf.get(photo)?.photos.delete(photo);
    this.#personOf.delete(photo);
    if (!person) return;
    person.photos.add(photo);
    this.#personOf.set(photo, person);
  }

  /** Two photos show one person: puts both into one, whom it gives back. Where they were two, the second joins the first. */
  join(a: Photo, b: Photo): Person {
    const [one, other] = [this.of(a), this.of(b)];
    const person = one ?? other ?? this.create();
    for (const photo of [a, b, ...(other?.photos ?? [])]) this.assign(photo, person);
    if (other && other !== person) this.#people.delete(other.id);
    this.#different.get(a)?.delete(b);
    this.#different.get(b)?.delete(a);
    return person;
  }

  /** Two photos show different people. */
  separate(a: Photo, b: Photo): void {
    this.#differentFrom(a).add(b);
    this.#differentFrom(b).add(a);
  }

  /** Whether the user has said so of the two photos, or of others of the same people. */
  areDifferent(a: Photo, b: Photo): boolean {
    if (this.#different.size === 0) return false;
    const others = new Set(this.#withSamePerson(b));
    return this.#withSamePerson(a).some((photo) => [...(this.#different.get(photo) ?? [])].some((o) => others.has(o)));
  }

  /** Takes back what was said of this photo, and of others of the same person, being unlike others. */
  forgetDifferences(photo: Photo): void {
    for (const own of this.#withSamePerson(photo)) this.#forget(own);
  }

  /** The photos stay, as nobody's. */
  remove(person: Person): void {
    for (const photo of [...person.photos]) this.assign(photo, undefined);
    this.#people.delete(person.id);
  }

  clear(): void {
    this.#people.clear();
    this.#personOf.clear();
    this.#different.clear();
  }

  /** The photo is gone. */
  leave(photo: Photo): void {
    this.assign(photo, undefined);
    this.#forget(photo);
  }

  #withSamePerson(photo: Photo): Photo[] {
    return [...(this.of(photo)?.photos ?? [photo])];
  }

  #differentFrom(photo: Photo): Set<Photo> {
    const known = this.#different.get(photo) ?? new Set();
    this.#different.set(photo, known);
    return known;
  }

  #forget(photo: Photo): void {
    for (const other of this.#different.get(photo) ?? []) this.#different.get(other)?.delete(photo);
    this.#different.delete(photo);
  }
}
