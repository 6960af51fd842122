// Several of something, as callers have them: an array, a Set, the FileList of an input, whatever can be gone through.
import { ReidError } from "./errors.js";

/** Whether it is a picture, or where one is: some of these can be gone through as well. */
export function isPicture(given: unknown): boolean {
  if (typeof given === "string") return true;
  if (typeof given !== "object" || given === null) return false;
  return given instanceof URL || given instanceof Blob || isBytes(given) || "width" in given || "displayWidth" in given;
}

/** The bytes of a file. */
export function isBytes(given: unknown): given is ArrayBuffer | Uint8Array<ArrayBuffer> {
  return given instanceof ArrayBuffer || ArrayBuffer.isView(given);
}

/** An array of what was given; gaps are undefined. `what`: "Images". Throws `bad-input` for what is one, or none. */
export function listOf<T>(given: Iterable<T>, what: string): T[] {
  if (isPicture(given))
    throw new ReidError("bad-input", `${what} must be several, as in \`[image]\`, not a single one.`);
  if (typeof given !== "object" || given === null || !(Symbol.iterator in given)) {
    throw new ReidError("bad-input", `${what} must be an array, a Set, a FileList or the like.`);
  }
  try {
    return Array.from(given);
  } catch (error) {
    throw new ReidError("bad-input", `${what} cannot be gone through: ${error}`, { cause: error });
  }
}
