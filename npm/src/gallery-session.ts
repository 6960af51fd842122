import type { Connection } from "./connection.js";
import { abortable, ReidError } from "./errors.js";
import type { GalleryCalls, GalleryStatus, NewGallery, OpenedGallery } from "./gallery-protocol.js";
import { connectPeople } from "./people.js";
import type { OnProgress } from "./progress.js";
import { isFatal } from "./session.js";

type GalleryConnection = Connection<GalleryCalls, { readonly status: GalleryStatus }>;
type CallName = keyof GalleryCalls;
type Made<K extends CallName> = { readonly call: K; readonly request: GalleryCalls[K]["request"] };
type AnyMade = { [K in CallName]: Made<K> }[CallName];

/** What a gallery is made of: nothing, a file, or what the browser keeps. */
export type GalleryStart = Made<"createGallery"> | Made<"readGallery"> | Made<"openGallery">;

/** What changes it. Done once more in the same order, they make the same gallery, its log included. */
const CHANGES: ReadonlySet<CallName> = new Set(["addPhotos", "act", "splitInto", "undo", "redo", "changeModel"]);

/** What was done takes so many bytes at the most, or as many as the gallery's file, before such a file takes its place. */
const MOST_BYTES = 32 * 1024 ** 2;

/**
 * A gallery in a worker that it outlives: when one dies, the call that it died of, or the next, has another, in which all that was
 * done is done once more.
 */
export class GallerySession {
  #connection: GalleryConnection;
  #start: GalleryStart;
  /** What changed it since. */
  #done: AnyMade[] = [];
  #bytes = 0;
  #mostBytes = MOST_BYTES;
  #isPacking = false;
  #restarting: Promise<void> | undefined;
  #closed: ReidError | undefined;

  private constructor(connection: GalleryConnection, start: GalleryStart) {
    this.#connection = connection;
    this.#start = start;
  }

  static async open(
    start: GalleryStart,
    onProgress: OnProgress | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ session: GallerySession; opened: OpenedGallery; status: GalleryStatus }> {
    const connection: GalleryConnection = await connectPeople(onProgress, signal);
    try {
      const { value, status } = await abortable(connection.call(start.call, start.request), signal);
      return { session: new GallerySession(connection, start), opened: value as OpenedGallery, status };
    } catch (error) {
      connection.close(new ReidError("internal", "The gallery could not be opened."));
      throw error;
    }
  }

  /** Makes the call, and once more in a new worker if this one dies of it. */
  async call<K extends CallName>(
    call: K,
    request: GalleryCalls[K]["request"],
    isFirst = true,
  ): Promise<{ readonly value: GalleryCalls[K]["reply"]; readonly status: GalleryStatus }> {
    if (this.#closed) throw this.#closed;
    if (this.#connection.ended) await this.#restart();
    const connection = this.#connection;
    try {
      const reply = await connection.call(call, request);
      this.#did({ call, request } as AnyMade);
      return reply;
    } catch (error) {
      if (this.#closed || !(isFatal(error) || connection.ended)) throw error;
      // A module that has failed is spoilt.
      connection.close(error as ReidError);
      if (!isFirst) throw error;
      return this.call(call, request, false);
    }
  }

  /** From now on the browser keeps it: what it keeps is what a new worker begins with. */
  keptAs(name: string, gallery: NewGallery): void {
    this.#begins({ call: "openGallery", request: { name, ...gallery } });
  }

  /** Waits for what is under way, writes what is not kept yet, and ends the worker. */
  async close(reason: ReidError): Promise<void> {
    try {
      // One that has died holds nothing any more.
      if (!this.#connection.ended || this.#isUnsaved) await this.call("closeGallery", {});
    } finally {
      this.#closed ??= reason;
      this.#connection.close(reason);
    }
  }

  get #isUnsaved(): boolean {
    return this.#start.call === "openGallery" && this.#done.length > 0;
  }

  #did(made: AnyMade): void {
    if (made.call === "save" && this.#start.call === "openGallery") this.#begins(this.#start);
    if (!CHANGES.has(made.call)) return;
    this.#done.push(made);
    this.#bytes += bytesOf(made);
    if (this.#bytes > this.#mostBytes) void this.#pack();
  }

  #begins(start: GalleryStart): void {
    this.#start = start;
    this.#done = [];
    this.#bytes = 0;
  }

  /** Puts a file in place of all that was done. What cannot be had is done without. */
  async #pack(): Promise<void> {
    if (this.#isPacking || this.#start.call === "openGallery") return;
    this.#isPacking = true;
    try {
      // Replies come in order: what was done by now is in it, and nothing else.
      const { value: file } = await this.#connection.call("toBlob", {});
      this.#begins({ call: "readGallery", request: { file } });
      this.#mostBytes = Math.max(MOST_BYTES, file.size);
    } catch {
      this.#mostBytes *= 2;
    } finally {
      this.#isPacking = false;
    }
  }

  #restart(): Promise<void> {
    this.#restarting ??= this.#startAnew().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #startAnew(): Promise<void> {
    const connection: GalleryConnection = await connectPeople(undefined, undefined);
    try {
      await connection.call(this.#start.call, this.#start.request);
      for (const { call, request } of this.#done) {
        await connection.call(call, request).catch((error: unknown) => {
          // What had been kept just before the worker died is there, and refuses to be done twice.
          if (connection.ended || isFatal(error)) throw error;
        });
      }
      if (this.#closed) throw this.#closed;
      this.#connection = connection;
    } catch (error) {
      connection.close(error as ReidError);
      throw error;
    }
  }
}

function bytesOf({ call, request }: AnyMade): number {
  if (call === "changeModel") return request.rows.byteLength;
  if (call !== "addPhotos") return 100;
  const sum = (parts: readonly (ArrayBufferView | undefined)[]) =>
    parts.reduce((bytes, part) => bytes + (part?.byteLength ?? 0), 0);
  return sum(request.features) + sum(request.thumbnails);
}
