// What tells files apart without reading them. A browser asks the disk for it each time, and waits: a second for two thousand files.

/** So long the page may stand still. */
const BUSY_MS = 30;

const known = new WeakMap<File, string>();

/** A file's size and date. */
export function stampOf(file: File): string {
  const stamp = known.get(file) ?? `${file.size}/${file.lastModified}`;
  known.set(file, stamp);
  return stamp;
}

/** Asks for those of many files, with pauses in which the page goes on; after that they are at hand. */
export async function stampAll(files: readonly File[]): Promise<void> {
  let since = performance.now();
  for (const file of files) {
    stampOf(file);
    if (performance.now() - since < BUSY_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  }
}
