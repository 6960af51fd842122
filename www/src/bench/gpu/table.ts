import { element } from "../dom.ts";
import { nameOf, significant } from "../table.ts";
import { CHECKED } from "./plan.ts";
import type { AdapterReport, FeatureRow, GpuReport, PeakRow, SpeedRow } from "./report.ts";

const NOTHING = "–";

interface Cell {
  readonly text: string;
  readonly className?: string;
}

/** Head of a row, and its cells or why there are none. */
function tableRow(head: readonly string[], cells: readonly (string | Cell)[], columns: number): HTMLTableRowElement {
  const [first = "", ...others] = head;
  const made = cells.map((cell) => (typeof cell === "string" ? { text: cell } : cell));
  const rest = made.length === 1 && columns > 1;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, first),
    ...others.map((text) => element("td", {}, text)),
    ...made.map(({ text, className = "" }) => element("td", { className, colSpan: rest ? columns : 1 }, text)),
  );
}

export function renderAdapter(list: HTMLDListElement, adapter: AdapterReport | undefined): void {
  const facts = Object.entries(adapter ? factsOf(adapter) : {});
  list.replaceChildren(...facts.flatMap(([fact, text]) => [element("dt", {}, fact), element("dd", {}, text)]));
}

function factsOf({ name, software, f16, timestamps, largestBuffer }: AdapterReport): Record<string, string> {
  return {
    Name: name || "The browser does not tell",
    "Imitated by software": software ? "Yes: right results, slowly" : "No",
    "16-bit numbers (shader-f16)": f16 ? "Yes" : "No",
    "Clock on the GPU (timestamp-query)": timestamps ? "Yes" : "No",
    "Largest buffer": `${(largestBuffer / 2 ** 20).toFixed(0)} MiB`,
  };
}

export function featureRow({ network, reason, compared }: FeatureRow): HTMLTableRowElement {
  const head = [nameOf(CHECKED, network)];
  if (!compared) return tableRow(head, [`failed: ${reason}`], 6);
  const { precision, images, difference, cosine, allowed, right } = compared;
  const numbers = [precision, String(images), difference.toExponential(1), allowed.toExponential(0), cosine.toFixed(6)];
  return tableRow(head, [...numbers, verdict(right)], 6);
}

/** The fastest first. */
export function peakRows({ peaks }: GpuReport): HTMLTableRowElement[] {
  return [...peaks].sort((a, b) => b.what.localeCompare(a.what) || (b.rate ?? 0) - (a.rate ?? 0)).map(peakRow);
}

function peakRow({ what, precision, how, reason, rate, right }: PeakRow): HTMLTableRowElement {
  const head = [what === "product" ? "Product" : "Copy", precision, how];
  if (rate === undefined) return tableRow(head, [`failed: ${reason}`], 2);
  const unit = what === "product" ? "GFLOP/s" : "GB/s";
  return tableRow(head, [`${significant(rate / 1e9)} ${unit}`, verdict(right ?? false)], 2);
}

export function speedRow({ network, batch, outcome, reason, speed }: SpeedRow): HTMLTableRowElement {
  const head = [nameOf(CHECKED, network), String(batch)];
  if (!speed) return tableRow(head, [`${outcome}: ${reason}`], 5);
  const { precision, imagesPerSecond, ms, gflops, share } = speed;
  const ofBest = share === undefined ? NOTHING : `${significant(100 * share)} %`;
  return tableRow(
    head,
    [precision, significant(imagesPerSecond), `${significant(ms)} ms`, significant(gflops), ofBest],
    5,
  );
}

function verdict(right: boolean): Cell {
  return right ? { text: "right" } : { text: "wrong", className: "differs" };
}
