import type { Photo } from "../photos.ts";
import { type Match, score } from "../ranking.ts";
import { element } from "./dom.ts";
import { rovingFocus } from "./roving-focus.ts";

const PAGE = 50;

export interface MatchInput {
  readonly hasModel: boolean;
  readonly photoCount: number;
  readonly query: Photo | undefined;
  readonly matches: readonly Match[];
}

/** The answer: the photos ranked by likeness to the one chosen; before there is one, the steps towards it. */
export class MatchList {
  readonly #root: HTMLElement;
  readonly #choose: (photo: Photo) => void;
  #shown = PAGE;
  #query: Photo | undefined;
  #rendered = "";

  constructor(root: HTMLElement, choose: (photo: Photo) => void) {
    this.#root = root;
    this.#choose = choose;
  }

  render(input: MatchInput): void {
    if (input.query !== this.#query) {
      this.#query = input.query;
      this.#shown = PAGE;
    }
    // Work under way calls this many times a second: leave what shows the same already.
    const shown = input.matches.slice(0, this.#shown);
    const key = JSON.stringify([
      input.hasModel,
      input.photoCount > 0,
      input.query?.id,
      input.matches.length,
      shown.map((match) => match.photo.id),
    ]);
    if (key === this.#rendered) return;
    this.#rendered = key;
    const { query } = input;
    const focused = this.#root.contains(document.activeElement) ? document.activeElement : undefined;
    this.#root.replaceChildren(...(query ? this.#answer(query, input, shown) : [steps(input)]));
    if (focused) this.#refocus(focused as HTMLElement);
  }

  #answer(query: Photo, input: MatchInput, shown: readonly Match[]): Node[] {
    const head = element(
      "figure",
      { className: "query" },
      element("img", { src: query.url, alt: "", decoding: "async" }),
      element("figcaption", {}, "Photos most like ", element("strong", {}, query.file.name)),
    );
    if (shown.length === 0) return [head, element("p", { className: "note" }, whyEmpty(query, input))];

    const list = element("ol", { className: "match-list", ariaLabel: `Photos most like ${query.file.name}` });
    list.append(...shown.map((match, i) => this.#match(match, i + 1)));
    const focus = rovingFocus(list, ".match");
    focus.refresh();
    const rest = input.matches.length - shown.length;
    const more = element("button", { type: "button", hidden: rest === 0 }, `Show ${Math.min(rest, PAGE)} more`);
    more.addEventListener("click", () => {
      const next = this.#shown;
      this.#shown += PAGE;
      this.render(input);
      this.#root.querySelectorAll<HTMLElement>(".match")[next]?.focus();
    });
    return [head, scoreNote(), list, more];
  }

  /** The list was made anew under the keyboard's feet: back to the same photo, or to the best match. */
  #refocus({ dataset }: HTMLElement): void {
    const same = dataset.photo && this.#root.querySelector<HTMLElement>(`[data-photo="${dataset.photo}"]`);
    (same || this.#root.querySelector<HTMLElement>(".match"))?.focus();
  }

  #match({ photo, similarity }: Match, rank: number): HTMLLIElement {
    const points = score(similarity);
    const bar = element("span", { className: "bar", ariaHidden: "true" });
    bar.style.setProperty("--score", `${points}%`);
    const button = element(
      "button",
      { type: "button", className: "match", title: "Search with this photo" },
      element("span", { className: "rank", ariaHidden: "true" }, String(rank)),
      element("img", { src: photo.url, alt: "", loading: "lazy", decoding: "async" }),
      element("span", { className: "name" }, photo.file.name),
      element("span", { className: "score" }, element("span", { className: "unseen" }, "score "), String(points)),
      bar,
    );
    button.dataset.photo = String(photo.id);
    button.addEventListener("click", () => this.#choose(photo));
    return element("li", {}, button);
  }
}

function scoreNote(): HTMLElement {
  return element(
    "details",
    { className: "score-note" },
    element("summary", {}, "A match is a suggestion, not proof. What does the score mean?"),
    element(
      "p",
      {},
      "The score says how alike the model finds two photos, from 0 (nothing alike) to 100 (the same picture). It is the cosine similarity of their features, times 100. It is not the probability that this is the same person: what counts as high depends on the model and the photos, so compare scores with each other and look for yourself.",
    ),
  );
}

function whyEmpty(query: Photo, { hasModel, photoCount }: MatchInput): string {
  if (!hasModel) return "Load a model first: it is what compares the photos.";
  if (!query.feature) return "The model has not looked at this photo yet.";
  return photoCount < 2
    ? "Add more photos to compare this one with."
    : "The model has not looked at the other photos yet.";
}

function steps({ hasModel, photoCount }: MatchInput): HTMLElement {
  const step = (done: boolean, title: string, text: string) =>
    element(
      "li",
      { className: done ? "done" : "" },
      element("strong", {}, title),
      done ? element("span", { className: "unseen" }, " (done)") : "",
      element("p", {}, text),
    );
  return element(
    "ol",
    { className: "steps" },
    step(hasModel, "Load a model", "A file that has learnt to tell people apart. It stays on this device, too."),
    step(photoCount > 1, "Add photos", "Each shows one person, head to foot: yours, or the samples."),
    step(false, "Choose a photo", "All others are then sorted by how alike the people in them look."),
  );
}
