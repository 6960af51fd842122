import { type AdaptOptions, adaptation, byName, isCamera } from "./adapt.js";
import { ReidError } from "./errors.js";
import { indexed, type Name } from "./indexed.js";
import { type GivenFeature, matrixOf } from "./matrix.js";
import { A_FUNCTION, A_SIGNAL, ANYTHING, checkOptions, oneOf, type Rules } from "./options.js";
import { callOnce } from "./people.js";
import type { Evaluation } from "./people-protocol.js";
import type { OnProgress } from "./progress.js";
import type { FeatureLike } from "./similarity.js";

/** Who is on a photo, and which camera took it. */
export interface PhotoLabel {
  /** Any name or number: what counts is which photos share it. */
  readonly person: string | number;
  /** Undefined or null where it is unknown. */
  readonly camera?: string | number | null | undefined;
}

export interface EvaluateOptions {
  /** What is done to the features before they are ranked. Default: nothing. */
  readonly adapt?: AdaptOptions | undefined;
  /**
   * Which photos are searched with, and among which. `leave-one-out` (default): each among all others. `cross-camera`: those of
   * the first camera among those of the second, by their names' order. `cuhk03`: the same with one photo of each person in the
   * gallery, drawn ten times, for rank-1 to rank-10.
   */
  readonly protocol?: "leave-one-out" | "cross-camera" | "cuhk03" | undefined;
  /** In place of the protocol's: indices of the photos to search with, and of those to search among. A photo may be in both. */
  readonly queries?: readonly number[] | undefined;
  readonly gallery?: readonly number[] | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: Rules<EvaluateOptions> = {
  adapt: ANYTHING,
  protocol: oneOf("leave-one-out", "cross-camera", "cuhk03"),
  queries: [Array.isArray, "an array of indices"],
  gallery: [Array.isArray, "an array of indices"],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

/**
 * How well features find the people of labelled photos: each query ranks the gallery by similarity, and the photos of its person
 * are to come first. Photos of the query's person by the query's camera do not count; one whose camera is unknown does not
 * for itself only. Features are as many as labels; gaps (null), which `extract` leaves for bad images, are left out.
 *
 * It needs no model: the part of the package that ranks is fetched the first time, and runs in a worker of its own, which ends
 * with the call. Rejects with a `ReidError`: `other-model` for features of two models; `bad-input` for what is no feature or no
 * label, with `image` saying which, for options that are none, and where no query has anybody to find; `out-of-memory`,
 * `aborted`, `http`, `network` or `internal`.
 */
export async function evaluate(
  features: readonly (FeatureLike | null | undefined)[],
  labels: readonly PhotoLabel[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkOptions("options", options, OPTIONS);
  if (!Array.isArray(features) || !Array.isArray(labels)) {
    throw new ReidError("bad-input", "Features and labels must be arrays.");
  }
  if (features.length !== labels.length) {
    throw new ReidError(
      "bad-input",
      `There are ${features.length} features and ${labels.length} labels: there must be one for each.`,
    );
  }
  for (const [index, label] of labels.entries()) checkLabel(label, index);
  const persons = indexed(labels.map(({ person }) => person)).indices;
  const cameras = indexed(
    labels.map(({ camera }) => camera),
    byName,
  );
  const given: GivenFeature[] = [];
  /** Of each photo its row, where it has a feature. */
  const rowOf: (number | undefined)[] = features.map((feature, index) => {
    if (feature === null || feature === undefined) return undefined;
    return given.push({ feature, index, name: `Feature ${index + 1}` }) - 1;
  });
  const { queries, gallery } = split(options, cameras.indices, cameras.names);
  const rows = (images: readonly number[], what: string) => {
    const rows = images.map((image) => rowOf[image]).filter((row) => row !== undefined);
    if (rows.length === 0) throw new ReidError("bad-input", `There is no photo to search ${what}.`);
    return Uint32Array.from(rows);
  };
  const ofRows = (numbers: readonly number[]) => Int32Array.from(given, ({ index }) => numbers[index] as number);
  const request = {
    adaptation: adaptation(options.adapt, cameras.names),
    single: options.protocol === "cuhk03",
    persons: ofRows(persons),
    photos: {
      queries: rows(queries, "with"),
      gallery: rows(gallery, "among"),
      cameras: ofRows(cameras.indices),
      ...matrixOf(given),
    },
  };
  const evaluation = await callOnce("evaluate", request, options);
  const name = (camera: number) => cameras.names[camera] as Name;
  return {
    ...evaluation,
    cameras: evaluation.cameras.map((pair) => ({ ...pair, query: name(pair.query), gallery: name(pair.gallery) })),
  };
}

/** Indices of photos. */
function split(
  options: EvaluateOptions,
  cameras: readonly number[],
  names: readonly Name[],
): { queries: readonly number[]; gallery: readonly number[] } {
  const { protocol = "leave-one-out", queries, gallery } = options;
  const all = [...cameras.keys()];
  const pick = (list: readonly number[] | undefined, what: string, camera: number) => {
    if (list) return checkIndices(list, what, all.length);
    if (protocol === "leave-one-out") return all;
    if (names.length < 2) {
      const there = names.length === 1 ? `only camera ${names[0]} is known` : "no camera is known";
      throw new ReidError("bad-input", `\`${protocol}\` takes photos of two cameras, and ${there} here.`);
    }
    return all.filter((image) => cameras[image] === camera);
  };
  return { queries: pick(queries, "queries", 0), gallery: pick(gallery, "gallery", 1) };
}

function checkIndices(list: readonly number[], what: string, count: number): readonly number[] {
  const bad = list.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < count));
  if (bad < 0) return list;
  throw new ReidError(
    "bad-input",
    `\`${what}[${bad}]\` is ${list[bad]}, which is the index of none of the ${count} photos.`,
  );
}

function checkLabel(label: unknown, index: number): void {
  const { person, camera } = (label ?? {}) as Partial<PhotoLabel>;
  const wrong =
    typeof person !== "string" && typeof person !== "number"
      ? "does not say which `person` it shows, by a name or a number"
      : !isCamera(camera) && "has a `camera` that is neither a name nor a number";
  if (!wrong) return;
  const name = `Label ${index + 1}`;
  throw new ReidError("bad-input", `${name} ${wrong}.`, { image: { index, name } });
}
