// What a file is by its first bytes, and what its user is told where it cannot be shown.
import { words } from "../words.ts";

export type Kind = "empty" | "picture" | "heic" | "tiff" | "svg" | "other";

export async function kindOf(file: Blob): Promise<Kind> {
  if (file.size === 0) return "empty";
  const text = String.fromCharCode(...new Uint8Array(await file.slice(0, 256).arrayBuffer()));
  if (/^ftyp(hei|hev|mif|msf)/.test(text.slice(4)) && !text.slice(8, 64).includes("avif")) return "heic";
  if (/^(II\*\0|MM\0\*)/.test(text)) return "tiff";
  if (/^(\xff\xd8\xff|\x89PNG|GIF8|BM)/.test(text) || /^RIFF....WEBP/s.test(text) || /^ftypavi/.test(text.slice(4))) {
    return "picture";
  }
  return /<svg[\s>]/i.test(text) ? "svg" : "other";
}

/** Why a photo could not be read. */
export async function whyNoPicture(file: Blob, error: string): Promise<string> {
  // A file that has been moved or deleted since cannot be read at all.
  const kind = await kindOf(file).catch(() => undefined);
  return kind === undefined ? words.reading.gone : words.reading.noPicture(kind, error);
}
