/** What went wrong, for a program to branch on; `ReidError.message` says it for people, with what to do. */
export type ReidErrorCode =
  | "aborted"
  | "bad-image"
  | "bad-input"
  | "bad-weights"
  | "blocked"
  | "conflict"
  | "damaged-gallery"
  | "device-lost"
  | "disposed"
  | "http"
  | "image-too-large"
  | "in-use"
  | "internal"
  | "name-taken"
  | "network"
  | "newer-gallery"
  | "no-device"
  | "no-feature"
  | "no-gallery"
  | "no-person"
  | "no-photo"
  | "other-model"
  | "out-of-memory"
  | "read-only"
  | "storage-failed"
  | "storage-full"
  | "too-few-samples"
  | "unknown-preset";

/** Which of the given images an error is about, or which of the features or labels that stand for one. */
export interface ImagePosition {
  /** Index in the array that was passed in. */
  readonly index: number;
  /** The file's name, the last part of the URL, or "image 3"; "Feature 3", "Query 3", "Label 3". */
  readonly name: string;
}

/** One side of a contradiction: a photo of a gallery, and the person that it is confirmed for. */
export interface ConflictSide {
  readonly photo: number;
  readonly person?: number | undefined;
}

export interface ReidErrorDetails {
  readonly cause?: unknown;
  /** HTTP status, with code `http`. */
  readonly status?: number | undefined;
  readonly image?: ImagePosition;
  /** With code `conflict`: what was said before and what is said now. */
  readonly sides?: readonly [ConflictSide, ConflictSide] | undefined;
}

/** The one type of error that this package throws or rejects with. */
export class ReidError extends Error {
  override readonly name = "ReidError";
  readonly code: ReidErrorCode;
  readonly status?: number;
  readonly image?: ImagePosition;
  readonly sides?: readonly [ConflictSide, ConflictSide];

  constructor(code: ReidErrorCode, message: string, details: ReidErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.status !== undefined) this.status = details.status;
    if (details.image !== undefined) this.image = details.image;
    if (details.sides !== undefined) this.sides = details.sides;
  }
}

/** What is wrong with one image and leaves the others alone. */
const OF_AN_IMAGE = new Set<ReidErrorCode>(["bad-image", "bad-input", "http", "image-too-large", "network"]);

export function isOfAnImage(error: unknown): error is ReidError {
  return error instanceof ReidError && OF_AN_IMAGE.has(error.code);
}

/** The error with the image that it is about. */
export function aboutImage(error: ReidError, index: number, name: string): ReidError {
  const details = { cause: error, status: error.status, image: { index, name } };
  return new ReidError(error.code, `${name}: ${error.message}`, details);
}

/** An error as it crosses the worker boundary, where classes do not survive. */
export interface ReidErrorData {
  readonly code: ReidErrorCode;
  readonly message: string;
  readonly sides?: readonly [ConflictSide, ConflictSide] | undefined;
}

export function isErrorData(value: unknown): value is ReidErrorData {
  // A DOMException has a code too, but a number.
  return typeof value === "object" && value !== null && "code" in value && typeof value.code === "string";
}

export function toReidError(error: unknown): ReidError {
  return error instanceof ReidError ? error : new ReidError("internal", String(error), { cause: error });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

export function abortedError(signal: AbortSignal): ReidError {
  return new ReidError("aborted", "Cancelled.", { cause: signal.reason });
}

/** Settles as `promise` does, or rejects with `aborted` as soon as the signal fires. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) {
    // Nobody waits for it any more.
    promise.catch(() => {});
    throw abortedError(signal);
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortedError(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) signal.removeEventListener("abort", stop);
  }
}
