import { megabytes } from "../words.ts";
import { element } from "./dom.ts";
import type { Download } from "./downloads.ts";
import type { Comparison, Measured } from "./measure.ts";
import { NETWORKS, SETTINGS } from "./plan.ts";
import { disagree, type Report, type Row } from "./report.ts";

interface Column {
  readonly title: string;
  readonly of: (comparison: Comparison) => string;
  /** A class for the cell. */
  readonly look?: (comparison: Comparison) => string;
}

const NOTHING = "–";

/** The same of each contender, side by side. */
function both(of: (measured: Measured) => string): Column[] {
  return [
    { title: "webreid", of: ({ webreid }) => of(webreid) },
    { title: "onnxruntime", of: ({ onnxruntime }) => of(onnxruntime) },
  ];
}

const GROUPS: readonly { readonly title: string; readonly columns: readonly Column[] }[] = [
  {
    title: "Images a second",
    columns: [
      ...both(({ imagesPerSecond }) => significant(imagesPerSecond)),
      {
        title: "ratio",
        of: ({ ratio }) => ratio.toFixed(2),
        look: ({ ratio }) => (ratio >= 1 ? "ratio ahead" : "ratio"),
      },
    ],
  },
  {
    title: "First call (× a later one)",
    columns: both(({ firstMs, ms }) => `${significant(firstMs)} ms (×${(firstMs / ms).toFixed(1)})`),
  },
  {
    title: "Largest difference",
    columns: [
      {
        title: "of features",
        of: (comparison) => {
          const { webreid, largestDifference } = comparison;
          const half = webreid.precision === "f16" ? " (webreid in f16)" : "";
          return `${largestDifference.toExponential(1)}${half}${disagree(comparison) ? ": features differ" : ""}`;
        },
        look: (comparison) => (disagree(comparison) ? "differs" : ""),
      },
    ],
  },
  { title: "Dispatches", columns: both(({ gpu }) => String(gpu?.dispatches ?? NOTHING)) },
  { title: "Submits", columns: both(({ gpu }) => String(gpu?.submits ?? NOTHING)) },
  { title: "Pipelines", columns: both(({ gpu }) => String(gpu?.pipelines ?? NOTHING)) },
  { title: "Most GPU memory", columns: both(({ gpu }) => (gpu ? megabytes(gpu.bytes) : NOTHING)) },
];
const COLUMNS = GROUPS.flatMap(({ columns }) => columns);

/** Head and body of the results' table. */
export function renderResults(table: HTMLTableElement, { rows }: Report): void {
  const fixed = ["Network", "Runs on", "Batch"].map((title) => element("th", { scope: "col", rowSpan: 2 }, title));
  const groups = GROUPS.map(({ title, columns }) =>
    element("th", { scope: "colgroup", colSpan: columns.length }, title),
  );
  const titles = COLUMNS.map(({ title }) => element("th", { scope: "col" }, title));
  table.tHead?.replaceChildren(element("tr", {}, ...fixed, ...groups), element("tr", {}, ...titles));
  table.tBodies[0]?.replaceChildren(...rows.map(resultRow));
}

function resultRow(row: Row): HTMLTableRowElement {
  const { network, on, batch, outcome, reason, comparison } = row;
  const cells = comparison
    ? COLUMNS.map(({ of, look }) => element("td", { className: look?.(comparison) ?? "" }, of(comparison)))
    : [element("td", { colSpan: COLUMNS.length }, `${outcome}: ${reason}`)];
  const named = [nameOf(SETTINGS, on), String(batch)].map((text) => element("td", {}, text));
  return element("tr", {}, element("th", { scope: "row" }, nameOf(NETWORKS, network)), ...named, ...cells);
}

export function renderDownloads(table: HTMLTableElement, downloads: readonly Download[]): void {
  const sum = ({ files }: Download, of: "raw" | "sent" | "gzipped") =>
    megabytes(files.reduce((bytes, file) => bytes + file[of], 0));
  table.tBodies[0]?.replaceChildren(
    ...downloads.map((download) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, download.what),
        ...(["raw", "sent", "gzipped"] as const).map((of) => element("td", {}, sum(download, of))),
      ),
    ),
  );
}

/** By its key. */
export function nameOf(of: readonly { readonly key: string; readonly name: string }[], key: string): string {
  return of.find((one) => one.key === key)?.name ?? key;
}

/** Three digits that count. */
export function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
