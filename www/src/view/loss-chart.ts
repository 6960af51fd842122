import { byId, setText } from "./dom.ts";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 160;
/** Batches differ: the bold line is the mean of that many steps. */
const SMOOTH = 8;

/** How wrong the model is, step by step: a thin line as it is, a bold one smoothed, and the same in words. */
export class LossChart {
  readonly #figure = byId("loss", HTMLElement);
  readonly #words = byId("loss-words", HTMLParagraphElement);
  readonly #lines: readonly [raw: SVGPolylineElement, smooth: SVGPolylineElement];
  readonly #svg: SVGSVGElement;

  constructor() {
    this.#svg = document.createElementNS(SVG, "svg");
    this.#svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#svg.setAttribute("preserveAspectRatio", "none");
    this.#svg.setAttribute("aria-hidden", "true");
    this.#lines = [this.#line("raw"), this.#line("smooth")];
    this.#figure.prepend(this.#svg);
  }

  /** `steps`: how many there will be, which the whole width stands for. */
  render(losses: readonly number[], steps: number): void {
    this.#figure.hidden = losses.length === 0;
    if (losses.length === 0) return;
    const smooth = losses.map((_, i) => mean(losses.slice(Math.max(0, i + 1 - SMOOTH), i + 1)));
    const highest = Math.max(...losses);
    const points = (values: readonly number[]) =>
      values
        .map(
          (value, i) =>
            `${((i / Math.max(1, steps - 1)) * WIDTH).toFixed(1)},${(HEIGHT - (value / highest) * (HEIGHT - 4)).toFixed(1)}`,
        )
        .join(" ");
    this.#lines[0].setAttribute("points", points(losses));
    this.#lines[1].setAttribute("points", points(smooth));
    setText(this.#words, inWords(losses, smooth));
  }

  #line(className: string): SVGPolylineElement {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("class", className);
    this.#svg.append(line);
    return line;
  }
}

function inWords(losses: readonly number[], smooth: readonly number[]): string {
  const start = mean(losses.slice(0, SMOOTH));
  const now = smooth.at(-1) ?? start;
  const way = losses.length <= SMOOTH ? "is" : now < start ? "fell" : "rose";
  return way === "is"
    ? `Error after ${losses.length} steps: ${now.toFixed(2)}.`
    : `The error ${way} from ${start.toFixed(2)} in the first steps to ${now.toFixed(2)} at step ${losses.length}.`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
