import { count } from "../messages.ts";
import type { Person } from "../people.ts";
import type { Photo } from "../photos.ts";
import type { Session } from "../session.ts";
import { byId, element, setText } from "./dom.ts";
import { dragPhoto, takePhoto } from "./photo-drag.ts";
import { rovingFocus } from "./roving-focus.ts";

interface Card {
  readonly item: HTMLLIElement;
  readonly key: HTMLSpanElement;
  readonly name: HTMLInputElement;
  readonly remove: HTMLButtonElement;
  readonly photos: HTMLUListElement;
  readonly focus: { refresh(): void };
  /** The photos that are shown, as text. */
  shown: string;
}

/** Who is who: a card for each person, with a name and photos. Cards are kept from one rendering to the next. */
export class PeoplePanel {
  readonly #session: Session;
  readonly #choose: (photo: Photo) => void;
  readonly #count = byId("people-count", HTMLSpanElement);
  readonly #create = byId("new-person", HTMLButtonElement);
  readonly #sort = byId("sort-samples", HTMLButtonElement);
  readonly #list = byId("people-list", HTMLUListElement);
  readonly #cards = new Map<Person, Card>();

  constructor(session: Session, choose: (photo: Photo) => void) {
    this.#session = session;
    this.#choose = choose;
    this.#create.addEventListener("click", () => {
      if (session.query) session.assign(session.query, "new");
    });
    this.#sort.addEventListener("click", () => session.sortSamples());
    takePhoto(byId("new-person-zone", HTMLDivElement), (id) => this.#assign(id, "new"));
  }

  render(): void {
    const people = this.#session.people.all;
    const { query } = this.#session;
    setText(this.#count, people.length > 0 ? String(people.length) : "");
    const canCreate = query !== undefined && !this.#session.people.of(query);
    const canSort = this.#session.unsortedSamples.length > 0;
    const focused = document.activeElement;
    this.#create.disabled = !canCreate;
    this.#sort.hidden = !canSort;
    this.#list.hidden = people.length === 0;

    const present = new Set(people);
    for (const person of this.#cards.keys()) if (!present.has(person)) this.#drop(person);
    for (const [i, person] of people.entries()) {
      const card = this.#cards.get(person) ?? this.#add(person);
      this.#renderCard(card, person, i);
    }
    // The button's work is done; what it made is the next thing to look at.
    const gone = (focused === this.#create && !canCreate) || (focused === this.#sort && !canSort);
    if (gone) this.#cards.get(people.at(-1) as Person)?.name.focus();
  }

  #add(person: Person): Card {
    const name = element("input", { type: "text", maxLength: 40, autocomplete: "off", spellcheck: false });
    name.addEventListener("change", () => this.#session.renamePerson(person, name.value.trim()));
    name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") name.blur();
    });
    const remove = element("button", { type: "button", className: "quiet" }, "Remove");
    remove.addEventListener("click", () => this.#session.removePerson(person));
    const key = element("span", { className: "step", ariaHidden: "true" });
    const photos = element("ul", { className: "thumbs" });
    const item = element(
      "li",
      { className: "person" },
      element("div", { className: "row" }, key, name, remove),
      photos,
    );
    takePhoto(item, (id) => this.#assign(id, person));
    const card: Card = { item, key, name, remove, photos, focus: rovingFocus(photos, ".thumb"), shown: "" };
    this.#cards.set(person, card);
    this.#list.append(item);
    return card;
  }

  #renderCard(card: Card, person: Person, index: number): void {
    setText(card.key, String(index + 1));
    card.name.ariaLabel = `Name of person ${index + 1}`;
    // Not while it is being typed.
    if (document.activeElement !== card.name) card.name.value = person.name;
    card.remove.ariaLabel = `Remove ${person.name}`;
    const photos = [...person.photos];
    card.photos.ariaLabel = `${person.name}: ${count(photos.length, "photo")}`;
    const shown = JSON.stringify([person.name, photos.map(({ id }) => id)]);
    if (shown === card.shown) return;
    card.shown = shown;
    const had = card.photos.contains(document.activeElement) ? document.activeElement : undefined;
    const at = [...card.photos.children].findIndex((child) => child.contains(had ?? null));
    card.photos.replaceChildren(...photos.map((photo) => this.#thumb(photo, person)));
    card.focus.refresh();
    if (!had) return;
    // The keyboard stays where it was: on what takes the place of the photo that went.
    const next = card.photos.children[Math.min(at, photos.length - 1)];
    (next?.querySelector<HTMLElement>(".thumb") ?? card.name).focus();
  }

  #thumb(photo: Photo, person: Person): HTMLLIElement {
    const { name } = photo.file;
    const image = element("img", { src: photo.url, alt: name, loading: "lazy", decoding: "async", draggable: false });
    const button = element("button", { type: "button", className: "thumb", title: name, tabIndex: -1 }, image);
    button.addEventListener("click", () => this.#choose(photo));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Delete") this.#session.assign(photo, undefined);
    });
    const out = element(
      "button",
      { type: "button", className: "remove", tabIndex: -1, ariaLabel: `Take ${name} out of ${person.name}` },
      "×",
    );
    out.addEventListener("click", () => this.#session.assign(photo, undefined));
    const item = element("li", {}, button, out);
    dragPhoto(item, photo);
    return item;
  }

  #assign(id: number, to: Person | "new"): void {
    const photo = this.#session.photos.all.find((photo) => photo.id === id);
    if (photo) this.#session.assign(photo, to);
  }

  #drop(person: Person): void {
    const card = this.#cards.get(person);
    if (!card) return;
    const hadFocus = card.item.contains(document.activeElement);
    const neighbour = card.item.nextElementSibling ?? card.item.previousElementSibling;
    card.item.remove();
    this.#cards.delete(person);
    if (hadFocus)
      (neighbour?.querySelector<HTMLElement>("input") ?? byId("people-heading", HTMLHeadingElement)).focus();
  }
}
