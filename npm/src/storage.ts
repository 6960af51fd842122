// Where a browser keeps galleries: in files of the page's own (OPFS), or in IndexedDB where those fail.
import { ReidError } from "./errors.js";
import type { GalleryPlace } from "./gallery-protocol.js";
import { indexedDbStorage } from "./storage-indexeddb.js";
import { opfsStorage } from "./storage-opfs.js";

/** A gallery that a browser keeps. */
export interface KeptGallery {
  readonly name: string;
  /** That its file takes. */
  readonly bytes: number;
  /** When it was last written. */
  readonly changed: Date;
}

/** A place for galleries. Only who holds a gallery's lock writes or removes it. */
export interface GalleryStorage {
  readonly place: GalleryPlace;
  list(): Promise<KeptGallery[]>;
  /** Whether there was one. */
  remove(name: string): Promise<boolean>;
  /** Throws where it cannot be written from here. */
  slot(name: string): Promise<Slot>;
}

/** One gallery's place. */
export interface Slot {
  readonly place: GalleryPlace;
  isEmpty(): Promise<boolean>;
  /** The newest file first: one before it is there where writing it was broken off. */
  read(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** The file that is there stays until the new one is whole. */
  write(file: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The best first. */
export const STORAGES: readonly GalleryStorage[] = [opfsStorage, indexedDbStorage];

/** Refuses where there is no place at all, as in Node. */
export function checkPlace(): void {
  if (globalThis.navigator?.storage || typeof indexedDB !== "undefined") return;
  throw new ReidError(
    "storage-failed",
    "There is no place to keep galleries here: make one with `Gallery.create` or `Gallery.fromBlob`, and keep what `toBlob()` gives.",
  );
}

/** What a place for galleries failed with, for people. */
export function storageError(error: unknown): ReidError {
  if (error instanceof ReidError) return error;
  const full = error instanceof DOMException && error.name === "QuotaExceededError";
  // Browsers of 2025 and later have a class of its own for it.
  if (full || (error as Error | undefined)?.name === "QuotaExceededError") {
    return new ReidError(
      "storage-full",
      "The browser has no room left to keep the gallery. Nothing is lost: the gallery here is whole, and so is what was kept " +
        "before. Make room (delete galleries or other sites' data), then call `save()`; or take a copy with `toBlob()`.",
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new ReidError(
    "storage-failed",
    `The browser could not keep the gallery (${reason}). What was kept before is untouched; take a copy with \`toBlob()\`.`,
    { cause: error },
  );
}

/** Refuses what is no name of a gallery. */
export function checkName(name: unknown): asserts name is string {
  const good = typeof name === "string" && name.trim() !== "" && encodeName(name).length <= LONGEST_NAME;
  if (!good)
    throw new ReidError("bad-input", "A gallery's name must be a text, not empty, of at most some 60 characters.");
}

const LONGEST_NAME = 200;

/** As a file's name on any disk: capitals too are written as codes, since some disks do not tell them from small letters. */
export function encodeName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  const encode = (byte: number) => {
    const text = String.fromCharCode(byte);
    return /[a-z0-9_-]/.test(text) ? text : `%${byte.toString(16).padStart(2, "0")}`;
  };
  return Array.from(bytes, encode).join("");
}

export function decodeName(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
