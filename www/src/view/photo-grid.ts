import { checkImageSize } from "webreid";
import { messageOf } from "../messages.ts";
import type { Photo } from "../photos.ts";
import { element } from "./dom.ts";
import { rovingFocus } from "./roving-focus.ts";

export interface PhotoActions {
  choose(photo: Photo): void;
  remove(photo: Photo): void;
  reject(photo: Photo, reason: string): void;
}

interface Tile {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
}

/** The user's photos as a grid of buttons. Tiles are kept from one rendering to the next. */
export class PhotoGrid {
  readonly #list: HTMLUListElement;
  readonly #actions: PhotoActions;
  readonly #tiles = new Map<Photo, Tile>();
  readonly #focus: { refresh(): void };

  constructor(list: HTMLUListElement, actions: PhotoActions) {
    this.#list = list;
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
    for (const [photo, { item, button }] of this.#tiles) {
      button.ariaPressed = String(photo === query);
      item.classList.toggle("seen", photo.feature !== undefined);
    }
    this.#focus.refresh();
  }

  #tile(photo: Photo): Tile {
    const { name } = photo.file;
    const button = element("button", { type: "button", className: "photo", title: name, tabIndex: -1 });
    button.append(
      element("span", { className: "frame" }, this.#thumbnail(photo)),
      element("span", { className: "name" }, name),
    );
    button.addEventListener("click", () => this.#actions.choose(photo));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Delete") this.#actions.remove(photo);
    });
    const remove = element("button", {
      type: "button",
      className: "remove",
      tabIndex: -1,
      ariaLabel: `Remove ${name}`,
    });
    remove.append("×");
    remove.addEventListener("click", () => this.#actions.remove(photo));
    return { item: element("li", {}, button, remove), button };
  }

  /** Once loaded, before it is painted, the image's size is known: one that is too large is never decoded. */
  #thumbnail(photo: Photo): HTMLImageElement {
    const image = element("img", { alt: "", loading: "lazy", decoding: "async" });
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
