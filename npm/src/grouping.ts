// Grouping a gallery's photos, in a worker of its own: it can be cancelled, and the gallery answers meanwhile.
import type { Connection } from "./connection.js";
import { whenDropped } from "./dropped.js";
import { abortable, ReidError } from "./errors.js";
import type { CameraMeans, GalleryQuestion, GroupingInput, Judgement, PhotoId } from "./gallery-protocol.js";
import { connectPeople } from "./people.js";
import type { OnProgress } from "./progress.js";
import { isFatal } from "./session.js";
import type { Judged, TreeCalls } from "./tree-protocol.js";

const ENDED = new ReidError("aborted", "Nobody waits for this any more.");

export interface GroupingOptions {
  /** What is done with what cameras add to their photos. Default: "centre". */
  readonly cameras?: CameraMeans | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A gallery's photos in groups. */
export interface Found {
  readonly groups: PhotoId[][];
  readonly unsure: PhotoId[];
  readonly strictness: number;
}

/** Features `[n, dim]`, and the cameras of their photos, where these are known. */
export interface Looks {
  readonly rows: Float32Array;
  readonly cameras: readonly (string | undefined)[];
}

/** Every grouping of the photos of a gallery, as they were when it was grown. */
export class Grouping {
  readonly #connection: Connection<TreeCalls>;
  readonly #kept: () => void;
  readonly #photos: Uint32Array;
  readonly #cameraNames: readonly string[];
  readonly #places: Map<PhotoId, number>;
  /** Of what it was grown from. */
  readonly key: string;
  /** Of the model whose features it was grown from. */
  readonly fingerprint: string;
  readonly cameras: CameraMeans;
  /** How long it took to grow. */
  readonly milliseconds: number;

  private constructor(
    connection: Connection<TreeCalls>,
    input: GroupingInput,
    fingerprint: string,
    cameras: CameraMeans,
    started: number,
  ) {
    this.#connection = connection;
    this.#kept = whenDropped(this, () => connection.close(ENDED));
    this.#photos = input.photos;
    this.#cameraNames = input.cameraNames;
    this.#places = new Map(Array.from(input.photos, (photo, place) => [photo, place]));
    this.key = input.key;
    this.fingerprint = fingerprint;
    this.cameras = cameras;
    this.milliseconds = performance.now() - started;
  }

  /** Rejects with `aborted`, `out-of-memory`, `http`, `network` or `internal`. */
  static async grow(
    input: GroupingInput,
    fingerprint: string,
    { cameras = "centre", onProgress, signal }: GroupingOptions,
  ): Promise<Grouping> {
    const connection = await connectPeople<TreeCalls>(onProgress, signal);
    try {
      const started = performance.now();
      const { rows, dim, cameras: of, links } = input;
      onProgress?.({ phase: "group", fraction: 0 });
      const request = { rows, dim, cameras: of, how: cameras, links };
      const tell = (fraction: number) => fraction < 1 && onProgress?.({ phase: "group", fraction });
      await abortable(connection.call("growTree", request, [rows.buffer, of.buffer], tell), signal);
      onProgress?.({ phase: "group", fraction: 1 });
      return new Grouping(connection, input, fingerprint, cameras, started);
    } catch (error) {
      connection.close(ENDED);
      throw error;
    }
  }

  /** The groups at a strictness, 0…1, or at the photos' own. */
  async groups(strictness: number | undefined): Promise<Found> {
    const value = await this.#call("cutTree", { strictness });
    const ids = (places: readonly number[]) => places.map((place) => this.#photos[place] as PhotoId);
    return { groups: value.groups.map(ids), unsure: ids(value.unsure), strictness: value.strictness };
  }

  /** The questions that tell most, none of them about a pair of `asked`, which has two photos a pair. */
  async questions(strictness: number | undefined, asked: Uint32Array, count: number): Promise<GalleryQuestion[]> {
    const pairs: number[] = [];
    for (let i = 0; i + 1 < asked.length; i += 2) {
      const places = [asked[i], asked[i + 1]].map((photo) => this.#places.get(photo as PhotoId));
      for (const place of places.includes(undefined) ? [] : places) pairs.push(place as number);
    }
    const request = { strictness, asked: Uint32Array.from(pairs), count };
    const value = await this.#call("questions", request);
    const ids = (places: readonly number[]) => places.map((place) => this.#photos[place] as PhotoId);
    return value.map(({ a, b, together, tells }) => ({ a: ids(a), b: ids(b), together, tells }));
  }

  /** Of each photo, whether it shows the person that the queries are photos of. */
  async judge(queries: Looks, photos: Looks): Promise<Judged[]> {
    const numbered = ({ rows, cameras }: Looks) => ({
      rows,
      cameras: Int32Array.from(cameras, (camera) => (camera === undefined ? -1 : this.#cameraNames.indexOf(camera))),
    });
    const request = { queries: numbered(queries), photos: numbered(photos) };
    return await this.#call("judge", request);
  }

  async judgement(): Promise<Judgement | undefined> {
    return this.#call("judgement", {});
  }

  /** The people that some photos fall into, without those that were not grouped. */
  async parts(photos: readonly PhotoId[]): Promise<PhotoId[][]> {
    const places = photos.map((photo) => this.#places.get(photo)).filter((place) => place !== undefined);
    const value = await this.#call("parts", { photos: Uint32Array.from(places) });
    return value.map((part) => part.map((place) => this.#photos[place] as PhotoId));
  }

  /** Its worker has died, or it was closed. */
  get ended(): boolean {
    return this.#connection.ended;
  }

  async #call<K extends keyof TreeCalls>(call: K, request: TreeCalls[K]["request"]): Promise<TreeCalls[K]["reply"]> {
    try {
      return (await this.#connection.call(call, request)).value as TreeCalls[K]["reply"];
    } catch (error) {
      // A module that has failed is spoilt.
      if (isFatal(error)) this.close();
      throw error;
    }
  }

  close(): void {
    this.#kept();
    this.#connection.close(ENDED);
  }
}
