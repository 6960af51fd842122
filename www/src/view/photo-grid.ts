import { checkImageSize } from "webreid";
import { messageOf } from "../messages.ts";
import type { People, Person } from "../people.ts";
import type { Photo } from "../photos.ts";
import { element, setText } from "./dom.ts";
import { dragPhoto } from "./photo-drag.ts";
import { rovingFocus } from "./roving-focus.ts";

export interface PhotoActions {
  choose(photo: Photo): void;
  remove(photo: Photo): void;
  reject(photo: Photo, reason: string): void;
  assign(photo: Photo, person: Person | "new" | undefined): void;
}

interface Tile {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly person: HTMLSpanElement;
}

/** The user's photos as a grid of buttons. Tiles are kept from one rendering to the next. */
export class PhotoGrid {
  readonly #list: HTMLUListElement;
  readonly #actions: PhotoActions;
  readonly #tiles = new Map<Photo, Tile>();
  readonly #people: People;
  readonly #focus: { refresh(): void };

  constructor(list: HTMLUListElement, people: People, actions: PhotoActions) {
    this.#list = list;
    this.#people = people;
    this.#actions = actions;
    this.#focus = rovingFocus(list, ".photo");
  }

  render(photos: readonly Photo[], query: Photo | undefined): void {
    this.#list.hidden = photos.length === 0;
    const present = new Set(photos);
    for (const photo of this.#tiles.keys()) {
      if (!present.has(photo)) this.#drop(photo);
    }
    const fresh = photos.filter((photo) => !this.#tiles.has(photo));
    for (const photo of fresh) this.#tiles.set(photo, this.#tile(photo));
    this.#list.append(...fresh.flatMap((photo) => this.#tiles.get(photo)?.item ?? []));
    for (const [photo, { item, button, person }] of this.#tiles) {
      button.ariaPressed = String(photo === query);
      item.classList.toggle("seen", photo.feature !== undefined);
      setText(person, this.#people.of(photo)?.name ?? "");
    }
    this.#focus.refresh();
  }

  #tile(photo: Photo): Tile {
    const { name } = photo.file;
    const button = element("button", { type: "button", className: "photo", title: name, tabIndex: -1 });
    const person = element("span", { className: "who" });
    button.append(
      element("span", { className: "frame" }, this.#thumbnail(photo), person),
      element("span", { className: "name" }, name),
    );
    button.addEventListener("click", () => this.#actions.choose(photo));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Delete") this.#actions.remove(photo);
      else if (!event.ctrlKey && !event.altKey && !event.metaKey) this.#assign(photo, event.key);
    });
    const remove = element("button", {
      type: "button",
      className: "remove",
      tabIndex: -1,
      ariaLabel: `Remove ${name}`,
    });
    remove.append("×");
    remove.addEventListener("click", () => this.#actions.remove(photo));
    const item = element("li", {}, button, remove);
    dragPhoto(item, photo);
    return { item, button, person };
  }

  /** N: a new person; 1 to 9: the person of that number; 0: nobody. */
  #assign(photo: Photo, key: string): void {
    const person = /^[1-9]$/.test(key) ? this.#people.all[Number(key) - 1] : undefined;
    if (key === "n" || key === "N") this.#actions.assign(photo, "new");
    else if (person || key === "0") this.#actions.assign(photo, person);
  }

  /** Once loaded, before it is painted, the image's size is known: one that is too large is never decoded. */
  #thumbnail(photo: Photo): HTMLImageElement {
    const image = element("img", { alt: "", loading: "lazy", decoding: "async", draggable: false });
    image.addEventListener("load", () => {
      try {
        checkImageSize(image.naturalWidth, image.naturalHeight);
        image.classList.add("loaded");
      } catch (error) {
        image.remove();
        this.#actions.reject(photo, messageOf(error));
      }
    });
    image.src = photo.url;
    return image;
  }

  /** Keeps the keyboard where it was: on what takes the place of the tile that goes. */
  #drop(photo: Photo): void {
    const tile = this.#tiles.get(photo);
    if (!tile) return;
    const hadFocus = tile.item.contains(document.activeElement);
    const neighbour = tile.item.nextElementSibling ?? tile.item.previousElementSibling;
    tile.item.remove();
    this.#tiles.delete(photo);
    if (hadFocus) neighbour?.querySelector<HTMLElement>(".photo")?.focus();
  }
}
