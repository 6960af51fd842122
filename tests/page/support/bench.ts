// What the benchmark's page measured: its JSON, its tables' cells, and the same for a terminal.
import type { Locator, Page } from "@playwright/test";
import type { Detected, DetectionReport } from "../../../www/src/bench/detect/report.ts";
import { bestProduct, type GpuReport } from "../../../www/src/bench/gpu/report.ts";
import { disagree, type Report } from "../../../www/src/bench/report.ts";
import type { SearchReport } from "../../../www/src/bench/search/report.ts";

/** Undefined before the first measurement was started. */
export async function benchReport(page: Page): Promise<Report | undefined> {
  const text = await page.locator("#bench-json").textContent();
  return text ? JSON.parse(text) : undefined;
}

/** Undefined before the first search was started. */
export async function searchReport(page: Page): Promise<SearchReport | undefined> {
  const text = await page.locator("#search-json").textContent();
  return text ? JSON.parse(text) : undefined;
}

/** Undefined before people were looked for. */
export async function detectionReport(page: Page): Promise<DetectionReport | undefined> {
  const text = await page.locator("#detect-json").textContent();
  return text ? JSON.parse(text) : undefined;
}

/** Undefined before the GPU was checked. */
export async function gpuReport(page: Page): Promise<GpuReport | undefined> {
  const text = await page.locator("#gpu-json").textContent();
  return text ? JSON.parse(text) : undefined;
}

/** Of ResNet-50 with a last stride of 1 at 256×128, for one image. */
const RESNET50_FLOP = 8.1e9;

/** The report as tables for a terminal. */
export function gpuText(report: GpuReport): string {
  const { adapter, features, peaks, speeds, conclusion } = report;
  const compared = features.map(({ network, reason, compared }) =>
    compared
      ? [network, compared.precision, compared.difference.toExponential(1), compared.cosine.toFixed(6)]
      : [network, `failed: ${reason}`],
  );
  const rates = peaks
    .toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0))
    .map(({ what, precision, how, reason, rate, right }) => {
      const said = rate === undefined ? `failed: ${reason}` : `${(rate / 1e9).toFixed(2)}${right ? "" : " WRONG"}`;
      return [what, precision, how, said];
    });
  const fast = speeds.map(({ network, batch, outcome, reason, speed }) => {
    const named = [network, String(batch)];
    if (!speed) return [...named, `${outcome}: ${reason}`];
    const { imagesPerSecond, gflops, share } = speed;
    return [...named, imagesPerSecond.toFixed(2), gflops.toFixed(2), share?.toFixed(2) ?? "–"];
  });
  const half = (bestProduct(report, "f32")?.rate ?? Number.NaN) / 2 / RESNET50_FLOP;
  return [
    `On ${adapter?.name}:`,
    "",
    columns([["network", "precision", "difference", "cosine"], ...compared]),
    "",
    columns([["what", "precision", "rows × vec4s of a thread by threads along both", "GFLOP/s, GB/s"], ...rates]),
    "",
    columns([["network", "batch", "images/s", "GFLOP/s", "of the best product"], ...fast]),
    "",
    ...conclusion,
    `Half of the best rate is ${half.toFixed(3)} images/s of ResNet-50.`,
  ].join("\n");
}

/** The report as a table for a terminal; "a / b" is webreid's number and TensorFlow.js's. */
export function detectionText({ photo, rows }: DetectionReport): string {
  const lines = rows.map(({ name, webreid, tfjs, ratio, reason }) => {
    if (!webreid || !tfjs) return [name, `failed: ${reason}`];
    const pair = (of: (measured: Detected) => number, digits: number) =>
      [webreid, tfjs].map((measured) => of(measured).toFixed(digits)).join(" / ");
    return [
      name,
      pair(({ photosPerSecond }) => photosPerSecond, 2),
      ratio?.toFixed(2) ?? "–",
      pair(({ firstMs }) => firstMs, 0),
    ];
  });
  return `Photos of ${photo.width} × ${photo.height}\n\n${columns([["on", "photos/s", "ratio", "first call, ms"], ...lines])}`;
}

/** The report as a table for a terminal. */
export function searchText({ features, dim, queries, top, rows }: SearchReport): string {
  const lines = rows.map(({ name, searched, reason }) => {
    if (!searched) return [name, `failed: ${reason}`];
    const { held, buildMs, bytes, ms, batchMs, recall, effort } = searched;
    const numbers = [(buildMs / 1000).toFixed(1), (bytes / 1e6).toFixed(0), ms.toFixed(2), batchMs?.toFixed(2) ?? "–"];
    return [name, String(held), ...numbers, recall.toFixed(3), String(effort ?? "–")];
  });
  const head = `searcher|held|build, s|MB|ms a query|ms, ${queries} at once|recall@${top}|in sight`;
  return `${queries} queries among ${features} features of ${dim} values\n\n${columns([head.split("|"), ...lines])}`;
}

/** The cells of the table's body, row by row. */
export async function cells(table: Locator): Promise<string[][]> {
  return table
    .locator("tbody tr")
    .evaluateAll((rows) =>
      rows.map((row) => [...(row as HTMLTableRowElement).cells].map((cell) => cell.textContent ?? "")),
    );
}

/** The report as tables for a terminal; "a / b" is webreid's number and onnxruntime-web's. */
export function reportText({ webreid, onnxruntimeWeb, machine, rows, downloads }: Report): string {
  const results = rows.map(({ network, on, batch, outcome, reason, comparison }) => {
    const named = [network, on, String(batch)];
    if (!comparison) return [...named, `${outcome}: ${reason}`];
    const { webreid: ours, onnxruntime: theirs, ratio, largestDifference } = comparison;
    const pair = (of: (measured: typeof ours) => number | undefined, digits = 0) =>
      [ours, theirs].map((measured) => of(measured)?.toFixed(digits) ?? "–").join(" / ");
    return [
      ...named,
      pair(({ imagesPerSecond }) => imagesPerSecond, 2),
      ratio.toFixed(2),
      pair(({ firstMs }) => firstMs),
      pair(({ firstMs, ms }) => firstMs / ms, 1),
      `${largestDifference.toExponential(1)}${disagree(comparison) ? " DIFFER" : ""}`,
      pair(({ gpu }) => gpu?.dispatches),
      pair(({ gpu }) => gpu?.submits),
      pair(({ gpu }) => gpu?.pipelines),
      pair(({ gpu }) => gpu && gpu.bytes / 1e6, 1),
    ];
  });
  const head =
    "network|on|batch|images/s|ratio|first call, ms|× a later one|difference|dispatches|submits|pipelines|GPU MB";
  const sizes = downloads.map(({ what, files }) => {
    const megabytes = (of: "raw" | "sent" | "gzipped") =>
      (files.reduce((bytes, file) => bytes + file[of], 0) / 1e6).toFixed(1);
    return [what, megabytes("raw"), megabytes("sent"), megabytes("gzipped")];
  });
  return [
    `webreid ${webreid} / onnxruntime-web ${onnxruntimeWeb}, ${machine.browser}, ${machine.cores} threads.`,
    `Graphics: ${machine.graphics}`,
    "",
    columns([head.split("|"), ...results]),
    "",
    columns([["download, MB", "raw", "sent", "gzipped"], ...sizes]),
  ].join("\n");
}

function columns(lines: readonly (readonly string[])[]): string {
  // The last cell of a line may be as long as it likes.
  const widths = (lines[0] ?? []).map((_, i) =>
    Math.max(...lines.map((line) => (i < line.length - 1 ? (line[i]?.length ?? 0) : 0))),
  );
  return lines
    .map((line) =>
      line
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
