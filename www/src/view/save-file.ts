import { element } from "./dom.ts";

/** Gives the user the file, as a download does. */
export function saveFile(file: File): void {
  const url = URL.createObjectURL(file);
  element("a", { href: url, download: file.name }).click();
  // The download has the file by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
