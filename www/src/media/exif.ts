import exifr from "exifr/dist/mini.esm.mjs";
import type { Taken } from "./look.ts";

/**
 * What a file tells of its taking. `head`: the first bytes of it, in which a JPEG tells all of that: whole files are not read for it
 * where that can be helped.
 */
export async function takenOf(file: Blob, head: Uint8Array<ArrayBuffer>): Promise<Taken> {
  // Screenshots and crops mostly have none.
  if (!/jpe?g|heic|tiff/i.test(file.type)) return {};
  try {
    const given = /jpe?g/i.test(file.type) ? head : file;
    const tags = await exifr.parse(given, ["Make", "Model", "DateTimeOriginal"]);
    const names = [tags?.Make, tags?.Model].filter((name): name is string => typeof name === "string" && name !== "");
    const time = tags?.DateTimeOriginal instanceof Date ? tags.DateTimeOriginal.getTime() : undefined;
    return {
      ...(names.length > 0 && { model: names.join(" ").trim() }),
      ...(time !== undefined && Number.isFinite(time) && { time }),
    };
  } catch {
    // Damaged remarks are no reason to leave a photo out.
    return {};
  }
}
