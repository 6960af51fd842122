import type { People, Person } from "../people.ts";
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
  /** How many photos the user said show someone else than the query. */
  readonly ruledOut: number;
  readonly people: People;
}

export interface MatchActions {
  choose(photo: Photo): void;
  assign(photo: Photo, person: Person | "new" | undefined): void;
  /** The two show one person. */
  confirm(query: Photo, match: Photo): void;
  /** The two show different people. */
  reject(query: Photo, match: Photo): void;
  forgetRejections(): void;
}

/** The answer: the photos ranked by likeness to the one chosen; before there is one, the steps towards it. */
export class MatchList {
  readonly #root: HTMLElement;
  readonly #actions: MatchActions;
  readonly #note = scoreNote();
  #shown = PAGE;
  #query: Photo | undefined;
  #rendered = "";

  constructor(root: HTMLElement, actions: MatchActions) {
    this.#root = root;
    this.#actions = actions;
  }

  render(input: MatchInput): void {
    if (input.query !== this.#query) {
      this.#query = input.query;
      this.#shown = PAGE;
    }
    const { query, people } = input;
    // Work under way calls this many times a second: leave what shows the same already.
    const shown = input.matches.slice(0, this.#shown);
    const key = JSON.stringify([
      input.hasModel,
      input.photoCount > 0,
      query?.id,
      input.matches.length,
      input.ruledOut,
      shown.map(({ photo, similarity }) => [photo.id, score(similarity), people.of(photo)?.id]),
      query && people.of(query)?.id,
      people.all.map(({ id, name }) => [id, name]),
    ]);
    if (key === this.#rendered) return;
    this.#rendered = key;
    const focused = this.#root.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
    const at = focused ? this.#rows().findIndex((row) => row.contains(focused)) : -1;
    this.#root.replaceChildren(...(query ? this.#answer(query, input, shown) : [steps(input)]));
    if (focused) this.#refocus(focused.dataset.key, at);
  }

  #answer(query: Photo, input: MatchInput, shown: readonly Match[]): Node[] {
    const { people, ruledOut } = input;
    const head = element(
      "figure",
      { className: "query" },
      element("img", { src: query.url, alt: "", decoding: "async" }),
      element("figcaption", {}, "Photos most like ", element("strong", {}, query.file.name)),
    );
    const nodes: Node[] = [head, this.#who(query, people)];
    const restore = element(
      "button",
      { type: "button", className: "quiet", hidden: ruledOut === 0 },
      `Suggest the ${ruledOut} ruled out again`,
    );
    restore.dataset.key = "restore";
    restore.addEventListener("click", () => this.#actions.forgetRejections());
    if (shown.length === 0) return [...nodes, element("p", { className: "note" }, whyEmpty(query, input)), restore];

    const list = element("ol", { className: "match-list", ariaLabel: `Photos most like ${query.file.name}` });
    list.append(...shown.map((match, i) => this.#match(query, match, i + 1, people)));
    rovingFocus(list, ".match, .reply").refresh();
    const rest = input.matches.length - shown.length;
    const more = element("button", { type: "button", hidden: rest === 0 }, `Show ${Math.min(rest, PAGE)} more`);
    more.addEventListener("click", () => {
      const next = this.#shown;
      this.#shown += PAGE;
      this.render(input);
      this.#rows()[next]?.querySelector<HTMLElement>(".match")?.focus();
    });
    return [...nodes, this.#note, list, more, restore];
  }

  /** Who is on the photo that is searched with. */
  #who(query: Photo, people: People): HTMLElement {
    const select = element("select", {});
    select.append(new Option("nobody yet", ""));
    for (const { id, name } of people.all) select.append(new Option(name, String(id)));
    select.append(new Option("a new person", "new"));
    select.value = String(people.of(query)?.id ?? "");
    select.dataset.key = "who";
    select.addEventListener("change", () => {
      const person = people.all.find(({ id }) => String(id) === select.value);
      this.#actions.assign(query, select.value === "new" ? "new" : person);
    });
    return element("label", { className: "row" }, "This photo shows", select);
  }

  #rows(): Element[] {
    return [...this.#root.querySelectorAll(".match-list > li")];
  }

  /** The list was made anew under the keyboard's feet: back to the same button, or to the match in its place, or to the best. */
  #refocus(key: string | undefined, at: number): void {
    const keyed = (key: string) => this.#root.querySelector<HTMLElement>(`[data-key="${key}"]:not([hidden])`);
    const photo = key?.split("-")[1];
    const row = this.#rows()[Math.max(0, at)] ?? this.#rows().at(-1);
    const target =
      (key && keyed(key)) || (photo && keyed(`match-${photo}`)) || row?.querySelector<HTMLElement>(".match");
    (target || keyed("who"))?.focus();
  }

  #match(query: Photo, { photo, similarity }: Match, rank: number, people: People): HTMLLIElement {
    const points = score(similarity);
    const bar = element("span", { className: "bar", ariaHidden: "true" });
    bar.style.setProperty("--score", `${points}%`);
    const person = people.of(photo);
    const button = element(
      "button",
      { type: "button", className: "match", title: "Search with this photo" },
      element("span", { className: "rank", ariaHidden: "true" }, String(rank)),
      element("img", { src: photo.url, alt: "", loading: "lazy", decoding: "async" }),
      element("span", { className: "name" }, photo.file.name),
      element("span", { className: "score" }, element("span", { className: "unseen" }, "score "), String(points)),
      bar,
    );
    button.dataset.key = `match-${photo.id}`;
    button.addEventListener("click", () => this.#actions.choose(photo));
    if (person && person === people.of(query)) {
      return element("li", {}, button, element("span", { className: "same" }, `✓ ${person.name}`));
    }
    return element("li", {}, button, this.#question(query, photo, person));
  }

  /** Asks whether the match is the person searched for. */
  #question(query: Photo, photo: Photo, person: Person | undefined): HTMLElement {
    const { name } = photo.file;
    const yes = reply("Yes", `(${name} shows the same person)`, `yes-${photo.id}`);
    yes.addEventListener("click", () => this.#actions.confirm(query, photo));
    const no = reply("No", `(${name} shows someone else)`, `no-${photo.id}`);
    no.addEventListener("click", () => this.#actions.reject(query, photo));
    return element(
      "div",
      { className: "question" },
      element("span", { ariaHidden: "true" }, person ? `Same as ${person.name}?` : "Same person?"),
      yes,
      no,
    );
  }
}

function reply(text: string, unseen: string, key: string): HTMLButtonElement {
  const button = element("button", { type: "button", className: "reply", tabIndex: -1 }, `${text} `);
  button.append(element("span", { className: "unseen" }, unseen));
  button.dataset.key = key;
  return button;
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

function whyEmpty(query: Photo, { hasModel, photoCount, ruledOut }: MatchInput): string {
  if (!hasModel) return "The model is not loaded yet: it is what compares the photos.";
  if (!query.feature) return "The model has not looked at this photo yet.";
  if (ruledOut > 0) return "You said that the other photos show someone else.";
  return photoCount < 2
    ? "Add more photos to compare this one with."
    : "The model has not looked at the other photos yet.";
}

function steps({ photoCount, people }: MatchInput): HTMLElement {
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
    step(photoCount > 1, "Add photos", "Each shows one person, head to foot: yours, or the samples."),
    step(false, "Choose a photo", "All others are then sorted by how alike the people in them look."),
    step(
      people.all.length > 1,
      "Say who is who",
      "Answer “Same person?” beside the matches, or drag photos onto people.",
    ),
    step(false, "Improve the model", "It learns from what you said, on this device, and you see whether that helped."),
  );
}
