/// <reference lib="esnext.disposable" preserve="true" />
import type { Connection } from "./connection.js";
import { whenDropped } from "./dropped.js";
import { abortable, ReidError, throwIfAborted } from "./errors.js";
import { Feature } from "./feature.js";
import type { FeatureIndexCalls, IndexPrecision } from "./feature-index-protocol.js";
import { listOf } from "./lists.js";
import { type GivenFeature, matrixOf } from "./matrix.js";
import { A_FUNCTION, A_SIGNAL, COUNT, checkOptions, oneOf, type Rules } from "./options.js";
import { connectPeople } from "./people.js";
import type { OnProgress } from "./progress.js";
import type { FeatureLike, Match, Vector } from "./similarity.js";

export interface FeatureIndexOptions {
  /**
   * What features are kept in. "f16" halves the memory, and similarities move by less than 0.001; "int8" quarters it, and they
   * move by about 0.001, so that of features almost equally alike another may come first. Default: "f32".
   */
  readonly precision?: IndexPrecision | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface IndexSearchOptions {
  /** At most so many matches for each query. Default: 10. */
  readonly top?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Row = FeatureLike | null | undefined;
type Features = Iterable<Row>;

const INDEX_OPTIONS: Rules<FeatureIndexOptions> = {
  precision: oneOf("f32", "f16", "int8"),
  onProgress: A_FUNCTION,
  signal: A_SIGNAL,
};

const ADD: Rules<Omit<FeatureIndexOptions, "precision">> = { onProgress: A_FUNCTION, signal: A_SIGNAL };

const SEARCH: Rules<IndexSearchOptions> = { top: COUNT, signal: A_SIGNAL };

/** Features that go to the worker at once: so many are in memory a second time. */
const BLOCK = 4096;

/**
 * Many features, to be searched again and again in a worker of their own: exactly, none that is more alike is missed. Nothing is
 * kept when the page goes; `Gallery` keeps people.
 */
export class FeatureIndex implements AsyncDisposable {
  readonly #connection: Connection<FeatureIndexCalls>;
  /** The place that each of the worker's features was given at. */
  readonly #places: number[] = [];
  /** One of those there are. */
  #model: Vector | undefined;
  #count = 0;
  /** Of features that are on their way. */
  #adding: Promise<void> = Promise.resolve();

  readonly #kept: () => void;

  private constructor(connection: Connection<FeatureIndexCalls>) {
    this.#connection = connection;
    this.#kept = whenDropped(this, () =>
      connection.close(new ReidError("disposed", "Nobody holds this index any more.")),
    );
  }

  /**
   * An index of these features; gaps (null) are left out, and count as places. 100,000 features of 512 values take a second or
   * two. Rejects with a `ReidError`: `other-model` for features of two models, `bad-input`, `out-of-memory`, `aborted`, `http`,
   * `network` or `internal`.
   */
  static async create(given: Features, options: FeatureIndexOptions = {}): Promise<FeatureIndex> {
    checkOptions("options", options, INDEX_OPTIONS);
    const { precision = "f32", onProgress, signal } = options;
    const features = featuresOf(given, "features");
    const first = features.findIndex((feature) => feature !== null && feature !== undefined);
    if (first < 0) throw new ReidError("bad-input", "There is no feature to search among.");
    const one = { feature: features[first] as FeatureLike, index: first, name: `Feature ${first + 1}` };
    const { dim } = matrixOf([one]);
    const index = new FeatureIndex(await connectPeople<FeatureIndexCalls>(onProgress, signal));
    try {
      await index.#connection.call("createIndex", { dim, precision, capacity: features.length });
      await index.add(features, { onProgress, signal });
      return index;
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /** How many features were given, gaps included. */
  get size(): number {
    return this.#count;
  }

  /** Adds features, whose places follow those there are. Rejects as `create` does: what was added before that stays. */
  async add(features: Features, options: Omit<FeatureIndexOptions, "precision"> = {}): Promise<void> {
    checkOptions("options", options, ADD);
    const { onProgress, signal } = options;
    const given = featuresOf(features, "features");
    const added = this.#adding.then(() => this.#add(given, onProgress, signal));
    this.#adding = added.catch(() => {});
    return added;
  }

  async #add(features: Row[], onProgress: OnProgress | undefined, signal: AbortSignal | undefined): Promise<void> {
    for (let first = 0; first < features.length; first += BLOCK) {
      throwIfAborted(signal);
      onProgress?.({ phase: "rank", fraction: first / features.length });
      const block = features.slice(first, first + BLOCK);
      const given = present(block, (index) => `Feature ${first + index + 1}`, first);
      const { rows, model } = matrixOf(given, this.#model);
      if (given.length > 0) await this.#connection.call("addFeatures", { rows }, [rows.buffer]);
      for (const { index } of given) this.#places.push(this.#count + index - first);
      // A copy: what was given may lie in a buffer with many others.
      if (model && this.#model?.fingerprint === undefined) this.#model = { ...model, values: Array.from(model.values) };
      this.#count += block.length;
    }
    await abortable(this.#connection.call("prepareIndex", {}), signal);
    onProgress?.({ phase: "rank", fraction: 1 });
  }

  /**
   * Of each query the most alike features, the best first, of equals the earlier one; none for a gap among the queries. Many
   * queries at once are quicker than one after the other. Rejects with a `ReidError`: `other-model`, `bad-input`, `aborted`,
   * `disposed`.
   */
  async search(queries: Features, options: IndexSearchOptions = {}): Promise<Match[][]> {
    checkOptions("options", options, SEARCH);
    const asked = featuresOf(queries, "queries");
    const { top = 10, signal } = options;
    await abortable(this.#adding, signal);
    const given = present(asked, (index) => `Query ${index + 1}`);
    const matches: Match[][] = asked.map(() => []);
    if (given.length === 0) return matches;
    const { rows } = matrixOf(given, this.#model);
    const request = { queries: rows, top: Math.min(top, this.#places.length) };
    const { value } = await abortable(this.#connection.call("searchIndex", request, [rows.buffer]), signal);
    const { places, similarities, each } = value;
    for (const [i, { index }] of given.entries()) {
      matches[index] = Array.from(places.subarray(i * each, (i + 1) * each), (place, rank) => ({
        index: this.#places[place] as number,
        similarity: similarities[i * each + rank] as number,
      }));
    }
    return matches;
  }

  /** Bytes of WebAssembly memory that the index takes, the room it has grown to included. */
  async memory(): Promise<number> {
    return (await this.#connection.call("indexMemory", {})).value;
  }

  /** Ends the worker and gives the memory back; calls fail with `disposed` from then on. */
  async close(): Promise<void> {
    this.#kept();
    this.#connection.close(new ReidError("disposed", "The index is closed."));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function featuresOf(features: Features, name: string): Row[] {
  if (features instanceof Feature || ArrayBuffer.isView(features)) {
    throw new ReidError("bad-input", `The ${name} must be an array of features, not a single one.`);
  }
  return listOf(features, `The ${name}`);
}

/** Those that are no gaps, the first of which is at the place `from`. */
function present(features: readonly Row[], name: (index: number) => string, from = 0): GivenFeature[] {
  const given: GivenFeature[] = [];
  for (const [index, feature] of features.entries()) {
    if (feature !== null && feature !== undefined) given.push({ feature, index: from + index, name: name(index) });
  }
  return given;
}
