import { isOffline } from "../errors.ts";

/** Has it done when there is a network again. */
export function whenOnline(work: () => void): void {
  addEventListener("online", work, { once: true });
}

/** Does it, and once more when there is a network again, where it fails for want of one. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isOffline(error)) throw error;
      await new Promise<void>(whenOnline);
    }
  }
}
