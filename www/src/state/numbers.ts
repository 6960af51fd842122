import type { GalleryPerson, PersonId, PhotoId } from "webreid";

/**
 * What people without a name are called by, from 1 on: a number stays with whom it was given to. It is nobody else's, also when
 * they are gone, and theirs again when they come back: by undo, or as a new group of much the same photos.
 */
export class Numbers {
  /** Of everybody who ever had one. */
  readonly #numberOf = new Map<PersonId, number>();
  /** The photos of whom each number is, or was last. */
  readonly #photosOf = new Map<number, ReadonlySet<PhotoId>>();
  /** Whose each number is now. */
  #holders = new Map<number, PersonId>();
  #last = 0;

  /** The numbers of all who have no name, the first in order getting the lowest; none that `isTaken`. */
  follow(people: readonly GalleryPerson[], isTaken: (number: number) => boolean): ReadonlyMap<PersonId, number> {
    const unnamed = people.filter(({ name }) => name === undefined);
    // A person with a name gets the number back that they had before.
    const present = new Set(people.map(({ id }) => id));
    const holders = new Map([...this.#holders].filter(([, person]) => present.has(person)));
    const held = new Map([...holders].map(([number, person]) => [person, number]));
    const give = (person: GalleryPerson, number: number) => {
      holders.set(number, person.id);
      held.set(person.id, number);
      this.#numberOf.set(person.id, number);
    };
    const isFree = (number: number) => !holders.has(number) && !isTaken(number);
    for (const { id } of unnamed) {
      const number = held.get(id);
      if (number === undefined || !isTaken(number)) continue;
      held.delete(id);
      holders.delete(number);
    }
    const without = () => unnamed.filter(({ id }) => !held.has(id));
    for (const person of without()) {
      const before = this.#numberOf.get(person.id);
      if (before !== undefined && isFree(before)) give(person, before);
    }
    for (const { person, number } of this.#likenesses(without())) {
      if (!held.has(person.id) && isFree(number)) give(person, number);
    }
    for (const person of without()) {
      do this.#last++;
      while (isTaken(this.#last));
      give(person, this.#last);
    }
    for (const person of people) {
      const number = held.get(person.id);
      if (number !== undefined) this.#photosOf.set(number, new Set([...person.confirmed, ...person.suggested]));
    }
    this.#holders = holders;
    return new Map(unnamed.map(({ id }) => [id, held.get(id) as number]));
  }

  /** Other people, who have nothing to do with those before. */
  clear(): void {
    this.#numberOf.clear();
    this.#photosOf.clear();
    this.#holders.clear();
    this.#last = 0;
  }

  /** Who has at least half of the photos of both together in common with whom a number was of: the most alike first. */
  #likenesses(
    people: readonly GalleryPerson[],
  ): readonly { readonly person: GalleryPerson; readonly number: number }[] {
    if (people.length === 0) return [];
    const owner = new Map<PhotoId, GalleryPerson>();
    for (const person of people)
      for (const photo of [...person.confirmed, ...person.suggested]) owner.set(photo, person);
    const found: { person: GalleryPerson; number: number; likeness: number }[] = [];
    for (const [number, photos] of this.#photosOf) {
      const common = new Map<GalleryPerson, number>();
      for (const photo of photos) {
        const person = owner.get(photo);
        if (person) common.set(person, (common.get(person) ?? 0) + 1);
      }
      for (const [person, n] of common) {
        const likeness = n / (photos.size + person.confirmed.length + person.suggested.length - n);
        if (likeness >= 0.5) found.push({ person, number, likeness });
      }
    }
    return found.sort((a, b) => b.likeness - a.likeness || a.number - b.number);
  }
}
