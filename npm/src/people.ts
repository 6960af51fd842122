import { Connection, type OnFraction } from "./connection.js";
import { abortable, ReidError, throwIfAborted } from "./errors.js";
import { loadModule } from "./module.js";
import type { PeopleCalls } from "./people-protocol.js";
import type { OnProgress } from "./progress.js";
import type { CallTable } from "./protocol.js";
import { runtime } from "./runtime.js";

const ENDED = new ReidError("aborted", "Nobody waits for this any more.");

/** Every worker that compares people is opened first. */
type Opened = Pick<PeopleCalls, "open">;

/** Starts a worker that compares people, for the calls of a table. The module is fetched the first time. */
export async function connectPeople<C extends Opened & CallTable<keyof C>, Rest = unknown>(
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection<C, Rest>> {
  const module = await loadModule("people", onProgress, signal);
  throwIfAborted(signal);
  const connection = new Connection<C, Rest>(runtime.startWorker("people-worker"));
  try {
    await abortable(connection.call("open", { module }), signal);
    return connection;
  } catch (error) {
    connection.close(ENDED);
    throw error;
  }
}

export interface RankingCallOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes one call in a worker of its own, which ends with it: nothing else stops a ranking that is under way, and nothing else
 * gives its memory back.
 */
export async function callOnce<K extends "evaluate" | "rankAll">(
  call: K,
  request: PeopleCalls[K]["request"],
  { onProgress, signal }: RankingCallOptions,
): Promise<PeopleCalls[K]["reply"]> {
  const tell: OnFraction = (fraction) => onProgress?.({ phase: "rank", fraction });
  const connection = await connectPeople<PeopleCalls>(onProgress, signal);
  try {
    tell(0);
    // The end is told once.
    const early: OnFraction = (fraction) => fraction < 1 && tell(fraction);
    const answer = connection.call(call, request, [request.photos.rows.buffer], early);
    const { value } = await abortable(answer, signal);
    tell(1);
    return value;
  } finally {
    connection.close(ENDED);
  }
}
