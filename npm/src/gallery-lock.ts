// One tab at a time changes a kept gallery.
import { abortedError, ReidError, throwIfAborted } from "./errors.js";

/** As long as a page that was left or loaded anew may take to let go of its galleries. */
const PATIENCE_MS = 500;

const lockName = (gallery: string) => `webreid gallery ${gallery}`;

/** Lets go of a gallery. */
export type Release = () => void;

/** Takes hold of a gallery until it is released, or its worker or page ends; undefined where another has it. */
export function holdGallery(name: string): Promise<Release | undefined> {
  // Where there are no locks there is no place to keep galleries either, or but for one tab.
  if (!globalThis.navigator?.locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    const held = () => new Promise<void>((release) => resolve(release));
    navigator.locks.request(lockName(name), { signal: AbortSignal.timeout(PATIENCE_MS) }, held).catch((error) => {
      if (error instanceof DOMException && error.name === "TimeoutError") resolve(undefined);
      else reject(error);
    });
  });
}

/** Resolves as soon as nobody has it. Rejects with `aborted`. */
export async function whenFree(name: string, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  try {
    await globalThis.navigator?.locks?.request(lockName(name), { ...(signal && { signal }) }, async () => {});
  } catch (error) {
    throw signal?.aborted ? abortedError(signal) : error;
  }
}

/** Does something with a gallery that nobody has open. */
export async function whileHeld<T>(name: string, use: () => Promise<T>): Promise<T> {
  const release = await holdGallery(name);
  if (!release) {
    throw new ReidError("in-use", `The gallery "${name}" is open, here or in another tab: close it there first.`);
  }
  try {
    return await use();
  } finally {
    release();
  }
}
