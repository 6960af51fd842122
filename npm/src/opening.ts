// In a worker: whether it opens a GPU.

import { isErrorData } from "./errors.js";

let under = false;

/** What goes wrong meanwhile, or has ended it, is the GPU's fault. */
export function opening(): boolean {
  return under;
}

/** Does what opens a GPU, unless `device` is the CPU. */
export async function open<T>({ device }: { readonly device: string }, opens: () => Promise<T>): Promise<T> {
  under = device !== "cpu";
  try {
    const opened = await opens();
    under = false;
    return opened;
  } catch (error) {
    // What the engine says itself leaves it whole; after anything else it is spoilt, and by this.
    if (isErrorData(error)) under = false;
    throw error;
  }
}
