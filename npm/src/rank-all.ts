import { type AdaptOptions, adaptation, byName, isCamera } from "./adapt.js";
import { ReidError } from "./errors.js";
import { indexed } from "./indexed.js";
import { type GivenFeature, matrixOf } from "./matrix.js";
import { A_FUNCTION, A_SIGNAL, ANYTHING, checkOptions, type Rules } from "./options.js";
import { callOnce } from "./people.js";
import type { OnProgress } from "./progress.js";
import type { FeatureLike, Match } from "./similarity.js";

/** Of each photo the camera that took it, by any name or number; undefined or null where it is unknown. */
export type Cameras = readonly (string | number | null | undefined)[];

export interface RankAllOptions {
  /** At most so many matches for each query. Default: 10. */
  readonly top?: number | undefined;
  /** What is done to the features before they are ranked. Default: nothing. */
  readonly adapt?: AdaptOptions | undefined;
  /** For `adapt.cameras`: one for each query, and one for each photo of the gallery. */
  readonly cameras?: { readonly queries: Cameras; readonly gallery: Cameras } | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Rankings {
  /**
   * Of each query the most alike of the gallery, the best first, of equals the earlier one; none for a gap among the queries.
   * Where `reranked`, a similarity is no cosine: 1 is the same photo, 0 nothing in common.
   */
  readonly matches: readonly (readonly Match[])[];
  /** Whether rankings were re-ranked. */
  readonly reranked: boolean;
  /** What was decided about cameras and neighbours, and why, a sentence each. */
  readonly said: readonly string[];
}

type Features = readonly (FeatureLike | null | undefined)[];

const OPTIONS: Rules<RankAllOptions> = {
  top: [(value) => Number.isInteger(value) && (value as number) >= 1, "a whole number of at least 1"],
  adapt: ANYTHING,
  cameras: [(value) => typeof value === "object" && value !== null, "`{ queries, gallery }`"],
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

/**
 * Ranks the gallery for many queries at once, with what only the photos together tell: their cameras and their neighbours. Gaps
 * (null) are left out. A feature that is in both lists, as one object, is one photo, and finds itself.
 *
 * As `evaluate`, it needs no model, runs in a worker of its own, and rejects with the same errors.
 */
export async function rankAll(queries: Features, gallery: Features, options: RankAllOptions = {}): Promise<Rankings> {
  checkOptions("options", options, OPTIONS);
  if (!Array.isArray(queries) || !Array.isArray(gallery)) {
    throw new ReidError("bad-input", "The queries and the gallery must be arrays of features.");
  }
  if (queries.length === 0) throw new ReidError("bad-input", "There is no query to search with.");
  const { top = 10, adapt, cameras } = options;
  checkCameras(cameras?.queries, queries, "queries");
  checkCameras(cameras?.gallery, gallery, "gallery");

  const given: GivenFeature[] = [];
  const cameraOf: (string | number | null | undefined)[] = [];
  const rowOf = new Map<FeatureLike, number>();
  /** The rows of a list, and where in it they come from. */
  const add = (features: Features, cameras: Cameras | undefined, name: (index: number) => string) => {
    const [rows, indices]: [number[], number[]] = [[], []];
    for (const [index, feature] of features.entries()) {
      if (feature === null || feature === undefined) continue;
      const row = rowOf.get(feature) ?? given.push({ feature, index, name: name(index) }) - 1;
      rowOf.set(feature, row);
      cameraOf[row] ??= cameras?.[index];
      rows.push(row);
      indices.push(index);
    }
    return { rows: Uint32Array.from(rows), indices };
  };
  const from = add(queries, cameras?.queries, (index) => `Query ${index + 1}`);
  const among = add(gallery, cameras?.gallery, (index) => `Feature ${index + 1} of the gallery`);
  const known = indexed(cameraOf, byName);
  const request = {
    top: Math.min(top, among.rows.length),
    adaptation: adaptation(adapt, known.names),
    photos: {
      queries: from.rows,
      gallery: among.rows,
      cameras: Int32Array.from(known.indices),
      ...matrixOf(given),
    },
  };
  const matches: Match[][] = queries.map(() => []);
  if (from.rows.length === 0 || among.rows.length === 0) return { matches, reranked: false, said: [] };
  const { places, similarities, each, reranked, said } = await callOnce("rankAll", request, options);
  for (const [i, query] of from.indices.entries()) {
    matches[query] = Array.from(places.subarray(i * each, (i + 1) * each), (place, rank) => ({
      index: among.indices[place] as number,
      similarity: similarities[i * each + rank] as number,
    }));
  }
  return { matches, reranked, said };
}

function checkCameras(cameras: unknown, features: Features, what: string): void {
  if (cameras === undefined) return;
  if (!Array.isArray(cameras) || cameras.length !== features.length) {
    const found = Array.isArray(cameras) ? cameras.length : "no array of them";
    throw new ReidError(
      "bad-input",
      `\`cameras.${what}\` must be one for each of ${features.length} features: ${found}.`,
    );
  }
  const bad = cameras.findIndex((camera) => !isCamera(camera));
  if (bad >= 0) throw new ReidError("bad-input", `\`cameras.${what}[${bad}]\` is neither a name nor a number.`);
}
