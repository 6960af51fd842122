import { count } from "../messages.ts";
import type { Problem } from "../photos.ts";
import { byId, element, setText } from "./dom.ts";

/** The files that could not be used, each with the reason. */
export class ProblemList {
  readonly #box = byId("problems", HTMLDivElement);
  readonly #heading = byId("problems-heading", HTMLHeadingElement);
  readonly #list = byId("problem-list", HTMLUListElement);

  constructor(clear: () => void) {
    byId("clear-problems", HTMLButtonElement).addEventListener("click", clear);
  }

  render(problems: readonly Problem[]): void {
    this.#box.hidden = problems.length === 0;
    setText(this.#heading, `${count(problems.length, "file")} could not be used`);
    if (problems.length < this.#list.childElementCount) this.#list.replaceChildren();
    const fresh = problems.slice(this.#list.childElementCount);
    this.#list.append(
      ...fresh.map(({ name, reason }) => element("li", {}, element("strong", {}, name), `: ${reason}`)),
    );
  }
}
