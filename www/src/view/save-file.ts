/** Gives the user the file, as a download does. */
export function saveFile(file: File): void {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href: url, download: file.name });
  link.click();
  // The download has the file by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
