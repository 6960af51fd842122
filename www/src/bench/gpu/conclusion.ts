// What follows from the numbers, in sentences.
import { count } from "../../words.ts";
import { nameOf } from "../table.ts";
import { CHECKED, type CheckedNetwork } from "./plan.ts";
import { type GpuReport, isRight } from "./report.ts";

/** Eight images that take less than that many times as long as one: the time is not the images'. */
const HARDLY_LONGER = 2;
/** From this share of the best product on, products are what takes the time. */
const MUCH = 1 / 3;

export function conclude(report: GpuReport): string[] {
  const bounds = CHECKED.map((network) => whatBounds(network, report)).filter((sentence) => sentence !== undefined);
  return [whatIsRight(report), ...whatFailed(report), ...bounds];
}

function whatIsRight(report: GpuReport): string {
  const { features, peaks } = report;
  if (isRight(report)) {
    const [networks, kernels] = [
      features.flatMap(({ compared }) => compared ?? []),
      peaks.filter(({ right }) => right),
    ];
    const same = networks.length > 0 ? `the features of ${count(networks.length, "network")} are those of the CPU` : "";
    const exact =
      kernels.length > 0 ? `${count(kernels.length, "product or copy", "products and copies")} came out exact` : "";
    const said = [same, exact].filter(Boolean).join(", and ");
    if (!said) return "Nothing could be checked.";
    return `${hasFailed(report) ? "What could be run" : "All"} is right: ${said}.`;
  }
  const wrong = [
    ...features
      .filter(({ compared }) => compared?.right === false)
      .map(({ network }) => `the features of ${nameOf(CHECKED, network)}`),
    ...peaks
      .filter(({ right }) => right === false)
      .map(({ what, precision, how }) => `the ${what} in ${precision}, ${how}`),
  ];
  return `Not all is right. This GPU computes wrong: ${wrong.join("; ")}.`;
}

function hasFailed({ features, peaks, speeds }: GpuReport): boolean {
  return [...features, ...peaks, ...speeds].some(({ outcome }) => outcome === "failed");
}

function whatFailed({ features, peaks, speeds }: GpuReport): string[] {
  const failed = [
    ...features.filter(({ outcome }) => outcome === "failed").map(({ network }) => nameOf(CHECKED, network)),
    ...peaks
      .filter(({ outcome }) => outcome === "failed")
      .map(({ what, precision, how }) => `a ${what} in ${precision}, ${how}`),
    ...speeds
      .filter(({ outcome }) => outcome === "failed")
      .map(({ network, batch }) => `${nameOf(CHECKED, network)} with ${count(batch, "image")} at once`),
  ];
  return failed.length > 0 ? [`Not everything could be run: ${failed.join("; ")}. The tables say why.`] : [];
}

/** Undefined where too little was measured to tell. */
function whatBounds({ key, name }: CheckedNetwork, { speeds }: GpuReport): string | undefined {
  const measured = speeds.flatMap(({ network, batch, speed }) =>
    network === key && speed ? [{ batch, ...speed }] : [],
  );
  const ms = (batch: number) => measured.find((one) => one.batch === batch)?.ms;
  const [one, eight] = [ms(1), ms(8)];
  const longer = one !== undefined && eight !== undefined ? eight / one : undefined;
  const best = measured.filter(({ share }) => share !== undefined).sort((a, b) => (b.share ?? 0) - (a.share ?? 0))[0];
  const percent = `${Math.round(100 * (best?.share ?? 0))} %`;
  const said: string[] = [];
  if (longer !== undefined && longer < HARDLY_LONGER) {
    said.push(`its launches with few images (8 take ${longer.toFixed(1)} times as long as one)`);
  }
  if (best?.share !== undefined && best.share > MUCH) {
    said.push(`its products with ${count(best.batch, "image")} at once (${percent} of the best rate)`);
  }
  if (said.length > 0) return `${name} is bound by ${said.join(", and by ")}.`;
  if (longer === undefined || best === undefined) return undefined;
  return `${name} is bound by neither launches nor products alone: 8 images take ${longer.toFixed(1)} times as long as one, and its products reach ${percent} of the best rate.`;
}
