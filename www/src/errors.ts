import { ReidError, type ReidErrorCode } from "webreid";
import { words } from "./words.ts";

/** A part of the page itself could not be fetched. */
export class Unreachable extends Error {
  constructor(cause?: unknown) {
    super(words.app.offline, { cause });
  }
}

export function isAborted(error: unknown): boolean {
  return error instanceof ReidError ? error.code === "aborted" : error instanceof Error && error.name === "AbortError";
}

/** Whether it is for want of a network, and may do when there is one. */
export function isOffline(error: unknown): boolean {
  if (!(error instanceof ReidError)) return error instanceof Unreachable;
  // What the page itself is made of can always be had but for that; another site may forbid it.
  const isOurs = !/^https?:/.test(error.message) || error.message.startsWith(location.origin);
  return error.code === "network" && (isOurs || !navigator.onLine);
}

/** What went wrong, in words for people: what the package says to programs is put in the page's own. */
export function messageOf(error: unknown): string {
  if (isOffline(error)) return words.app.offline;
  if (!(error instanceof Error)) return String(error);
  if (error.name === "QuotaExceededError") return words.keep.noRoom;
  if (!(error instanceof ReidError)) return error.message;
  return IN_WORDS[error.code] ?? (CRASH.test(error.message) ? words.app.crashed : error.message);
}

const IN_WORDS: Partial<Record<ReidErrorCode, string>> = {
  "storage-full": words.keep.noRoom,
  "storage-failed": words.keep.forbidden,
  "device-lost": words.app.gpuLost,
  "read-only": words.people.readOnly,
  "in-use": words.people.readOnly,
  "other-model": words.people.outdated,
};
const CRASH = /^The (engine crashed|engine failed|worker failed)/;

/** Without the file's name, which the list shows by itself. */
export function reasonOf(error: ReidError): string {
  const prefix = `${error.image?.name}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

/** Without the ending that tells the format. */
export function withoutEnding(fileName: string): string {
  return fileName.replace(/\.(safetensors|pth|pt|tar|onnx|xml)$/i, "");
}
