// What the user does to sort people, from wherever on the page: each can be undone, and what would surprise is asked first.
import { signal } from "@preact/signals";
import type { Answer, Gallery, GalleryPerson, PersonId, PhotoId } from "webreid";
import { notices, people, questions, selection, sheet } from "./app.ts";
import { words } from "./words.ts";

/** What is being dragged. */
export type Dragged = { readonly photos: readonly PhotoId[] } | { readonly person: PersonId };

export const dragged = signal<Dragged | undefined>(undefined);

/** Where photos can go: to somebody, to whoever has that name, to a new person, or to nobody. */
export type Place = { readonly person: PersonId } | { readonly name: string } | "new" | "nobody";

const { sorting } = words;

/** What to call somebody. */
export function labelOf(id: PersonId): string {
  return people.labelOf(id);
}

/** Somebody who is called so, in whatever case. */
export function whoIs(name: string): GalleryPerson | undefined {
  const same = name.trim().toLowerCase();
  return people.all.peek().find(({ id }) => labelOf(id).toLowerCase() === same);
}

/** Pictures of a group that a user has looked at, who joins it with another: as many as rows have room for. */
const SEEN = 16;

/**
 * Does what the user asked for and no more: rows that it says nothing of stay as they are. Answers, other photos and the slider
 * sort anew.
 */
const asked: typeof people.act = (what, options) => people.act(what, { ...options, regroup: false });

/** Why a name cannot be taken; undefined where it can. */
export type Refusal = string | undefined;

/**
 * Gives somebody a name. That confirms one photo, as the gallery does it, and not all: a user sees a dozen of a row's photos, and
 * of a grouping's about one in ten is somebody else's (of all of PKU-Reid); what nobody has looked at stays a suggestion, which
 * questions and better groups can still mend. "Yes, all" beside the name says the rest.
 */
export async function giveName(id: PersonId, given: string): Promise<Refusal> {
  const name = given.trim();
  const before = people.nameOf(id);
  if (name === before) return undefined;
  if (name === "") return sorting.emptyName;
  const other = whoIs(name);
  if (!other || other.id === id) {
    await asked((gallery) => gallery.name(id, name), { done: sorting.named(name) });
    return undefined;
  }
  const taken = labelOf(other.id);
  const isSame = await notices.ask({
    title: sorting.isSameTitle(taken),
    text: before === undefined ? sorting.isSame(taken) : sorting.isSameNamed(before, taken),
    yes: sorting.isSameYes,
    no: sorting.isSameNo,
  });
  if (!isSame) return sorting.takenName(taken);
  const person = people.byId.peek().get(id);
  if (person) await merge(other, [person], before !== undefined && other.name !== undefined);
  return undefined;
}

export async function takeNameOff(id: PersonId): Promise<void> {
  await asked((gallery) => gallery.name(id, null), { done: sorting.nameTakenOff(labelOf(id)) });
}

/** Makes one person of several: the first with a name stays, else the first. Two with names are never joined unasked. */
export async function join(ids: readonly PersonId[]): Promise<boolean> {
  const all = ids.flatMap((id) => people.byId.peek().get(id) ?? []);
  const named = all.filter(({ name }) => name !== undefined);
  const into = named[0] ?? all[0];
  const others = all.filter((person) => person !== into);
  if (!into || others.length === 0) return false;
  const isAsked = named.length > 1;
  if (isAsked) {
    const names = named.map(({ name }) => name as string);
    const isOne = await notices.ask({
      title: sorting.joinTitle(names),
      text: sorting.joinText(names[0] as string),
      yes: sorting.joinYes(names[0] as string),
      no: sorting.joinNo,
    });
    if (!isOne) return false;
  }
  selection.clear();
  return merge(into, others, isAsked);
}

/**
 * Makes one person of groups. What their rows showed of each is confirmed with it: by a photo of each alone the others would be
 * grouped anew, and one row might be two again. Where earlier answers are in the way nothing is done before the user has chosen.
 */
async function merge(into: GalleryPerson, others: readonly GalleryPerson[], isSure: boolean): Promise<boolean> {
  const all = [into, ...others];
  const seen = all.flatMap(({ suggested }) => suggested.slice(0, SEEN));
  const done = sorting.joined(all.length, all.find(({ name }) => name !== undefined)?.name);
  if (others.length > 1 && !isSure) {
    // One act for all: whoever has no name goes whole to who is the same.
    const lead = leadOf(into);
    const rest = new Set([...others.map(leadOf), ...seen].filter((photo) => photo !== lead));
    const joined = await asked(
      (gallery, despite) => gallery.answer(lead, [...rest], "same", { despite }).then(() => true),
      { done },
    );
    return joined === true;
  }
  const steps = await asked(
    async (gallery, despite) => {
      for (const { id } of others) await gallery.merge(into.id, id, { despite: despite || isSure });
      if (seen.length > 0) await gallery.move(seen, into.id, { despite: true });
      return others.length + Math.min(seen.length, 1);
    },
    { done, steps: (steps) => steps },
  );
  return steps !== undefined;
}

/** A photo that stands for somebody. */
function leadOf({ cover, confirmed, suggested }: GalleryPerson): PhotoId {
  const theirs = confirmed.length > 0 ? confirmed : suggested;
  return (cover !== undefined && theirs.includes(cover) ? cover : theirs[0]) as PhotoId;
}

/** Says whom photos show, whatever was said of them before: somebody moves just these by hand. */
export async function move(photos: readonly PhotoId[], to: Place): Promise<void> {
  if (photos.length === 0) return;
  if (to === "nobody") return release(photos);
  selection.clear();
  if (to === "new") {
    const left = leftBy(photos);
    await asked(
      async (gallery) => {
        const id = await gallery.enrol(photos, { despite: true });
        await setApart(gallery, photos, left);
        return id;
      },
      { done: (id) => sorting.moved(photos.length, labelOf(id)), steps: () => 1 + left.length },
    );
    return;
  }
  const who = "person" in to ? to.person : (whoIs(to.name)?.id ?? to.name.trim());
  const label = typeof who === "number" ? labelOf(who) : who;
  const target = typeof who === "number" ? people.byId.peek().get(who) : undefined;
  // Where all is only suggested, one photo is confirmed beside them: else they would be somebody without the others.
  const lead = target && target.confirmed.length === 0 && target.suggested.length > 0 ? [leadOf(target)] : [];
  const theirs = [...new Set([...photos, ...lead])];
  const left = leftBy(photos, target?.id);
  await asked(
    async (gallery) => {
      await gallery.move(theirs, who, { despite: true });
      await setApart(gallery, photos, left);
      return true;
    },
    { done: sorting.moved(photos.length, label), steps: () => 1 + left.length },
  );
}

/** A photo each of the groups that these photos leave and of which nobody confirmed anything. */
function leftBy(photos: readonly PhotoId[], target?: PersonId): readonly PhotoId[] {
  const views = people.photos.peek();
  const gone = new Set(photos);
  const from = new Set(photos.flatMap((photo) => views.get(photo)?.person ?? []));
  from.delete(target as PersonId);
  return [...from].flatMap((id) => {
    const { confirmed = [], suggested = [] } = people.byId.peek().get(id) ?? {};
    const stays = suggested.find((photo) => !gone.has(photo));
    return stays !== undefined && confirmed.every((photo) => gone.has(photo)) ? [stays] : [];
  });
}

/** These are not whom those are, who look like them: grouped anew, they would be taken for the same again. */
async function setApart(gallery: Gallery, photos: readonly PhotoId[], from: readonly PhotoId[]): Promise<void> {
  for (const photo of from) await gallery.answer(photos[0] as PhotoId, photo, "different");
}

/** They are not whom they were taken for. */
export async function release(photos: readonly PhotoId[]): Promise<void> {
  const theirs = photos.filter((photo) => people.photos.peek().get(photo)?.person !== undefined);
  selection.clear();
  if (theirs.length === 0) return;
  await asked((gallery) => gallery.move(theirs, null).then(() => true), { done: sorting.released(theirs.length) });
}

export async function hide(photos: readonly PhotoId[], isHidden = true): Promise<void> {
  selection.clear();
  await asked((gallery) => gallery.hide(photos, isHidden).then(() => true), {
    done: isHidden ? sorting.hidden(photos.length) : sorting.shown(photos.length),
  });
}

export async function remove(photos: readonly PhotoId[]): Promise<void> {
  selection.clear();
  await asked((gallery) => gallery.remove(photos).then(() => true), { done: sorting.removed(photos.length) });
}

/** What is suggested for people is theirs: all of it, or of these photos those that are. */
export async function confirm(ids: readonly PersonId[], photos?: readonly PhotoId[]): Promise<void> {
  const wanted = photos && new Set(photos);
  const theirs = ids.flatMap((id) => {
    const suggested = (people.byId.peek().get(id)?.suggested ?? []).filter((photo) => !wanted || wanted.has(photo));
    return suggested.length > 0 ? [{ id, suggested }] : [];
  });
  selection.clear();
  const count = theirs.reduce((sum, { suggested }) => sum + suggested.length, 0);
  if (count === 0) return;
  await asked(
    async (gallery, despite) => {
      for (const { id, suggested } of theirs) {
        // Where earlier answers contradict the one, the others stay confirmed.
        if (despite) await gallery.move(suggested, id, { despite });
        else await gallery.confirm(id, suggested);
      }
      return theirs.length;
    },
    { done: sorting.confirmed(count), steps: (acts) => acts },
  );
}

export async function showBy(person: PersonId, photo: PhotoId): Promise<void> {
  selection.clear();
  await asked((gallery) => gallery.cover(person, photo).then(() => true), {
    done: sorting.covered(labelOf(person)),
  });
}

/** Somebody turns out to be several people. */
export async function split(person: PersonId): Promise<void> {
  const label = labelOf(person);
  const parts = await asked((gallery) => gallery.split(person, { cameras: people.camerasAre }), {
    done: (others) => sorting.split(label, others.length + 1),
  });
  if (parts) sheet.value = undefined;
}

export async function dissolve(person: PersonId): Promise<void> {
  const label = labelOf(person);
  sheet.value = undefined;
  await people.act((gallery) => gallery.dissolve(person).then(() => true), { done: sorting.dissolved(label) });
}

/** Answers the question that is asked; "yes" of two people with names is asked about first. */
export async function answer(said: Answer): Promise<void> {
  const question = questions.now.peek();
  if (!question) return;
  if (said === "same") {
    const [a, b] = [question.a, question.b].map((side) => namedOn(side));
    if (a !== undefined && b !== undefined && a !== b) {
      await join([a, b]);
      return;
    }
  }
  questions.answer(said);
}

/** Who of those with names is on photos. */
export function namedOn(photos: readonly PhotoId[]): PersonId | undefined {
  const views = people.photos.peek();
  return photos
    .map((photo) => views.get(photo)?.person)
    .find((id) => id !== undefined && people.nameOf(id) !== undefined);
}

/** All that a person has, in the order that it is shown. */
export function photosOf({ confirmed, suggested }: GalleryPerson): readonly PhotoId[] {
  return [...confirmed, ...suggested];
}

export async function drop(onto: Place): Promise<void> {
  const what = dragged.peek();
  dragged.value = undefined;
  if (!what) return;
  if ("photos" in what) return move(what.photos, onto);
  if (typeof onto === "object" && "person" in onto && onto.person !== what.person)
    await join([onto.person, what.person]);
}
