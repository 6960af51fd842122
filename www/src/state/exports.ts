// What others can read: people as folders, names as a table.
import { BlobReader, BlobWriter, configure, ZipWriter } from "@zip.js/zip.js/lib/zip-core.js";
import type { GalleryPhoto } from "webreid";
import { words } from "../words.ts";
import type { Crops } from "./crops.ts";
import type { People } from "./people.ts";

configure({ useWebWorkers: false, useCompressionStream: false });

/** As the command's `reid gallery export` writes it. */
const COLUMNS = [
  "photo",
  "name",
  "hash",
  "camera",
  "time",
  "x",
  "y",
  "width",
  "height",
  "quality",
  "person",
  "person_name",
  "confirmed",
  "hidden",
] as const;
/** In pixels: as it is in the photo. */
const FULL_HEIGHT = 100_000;

/** A line a picture of somebody (RFC 4180). */
export function namesAsCsv(people: People): File {
  const lines = [COLUMNS.join(",")];
  for (const photo of people.photos.peek().values()) {
    const { x, y, width, height } = photo.box ?? {};
    const fields = [
      photo.id,
      photo.name,
      photo.hash,
      photo.camera,
      photo.time,
      x,
      y,
      width,
      height,
      photo.quality,
      photo.person,
      people.nameOf(photo.person),
      photo.confirmed ?? false,
      photo.hidden ?? false,
    ];
    lines.push(fields.map(quoted).join(","));
  }
  return new File([lines.map((line) => `${line}\r\n`).join("")], "people.csv", { type: "text/csv" });
}

/** A folder for each person, with everybody cut out of their photos. */
export async function peopleAsFolders(
  people: People,
  crops: Crops,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<File> {
  const zip = new ZipWriter(new BlobWriter("application/zip"), { level: 0, dataDescriptor: false });
  const photos = people.visible.peek();
  const taken = new Set<string>();
  const folders = new Map<number, string>();
  for (const { id } of people.all.peek()) folders.set(id, unused(fileName(people.labelOf(id)), taken));
  for (const [i, photo] of photos.entries()) {
    signal.throwIfAborted();
    onProgress(i, photos.length);
    const folder = (photo.person !== undefined && folders.get(photo.person)) || words.keep.unsureFolder;
    const picture = await crops.cut(photo, FULL_HEIGHT).catch(() => undefined);
    const small = picture ?? (await (await people.gallery()).thumbnail(photo));
    if (small) await zip.add(unused(`${folder}/${pictureName(photo)}`, taken), new BlobReader(small), { signal });
  }
  return new File([await zip.close()], "people.zip", { type: "application/zip" });
}

function pictureName({ name }: GalleryPhoto): string {
  return `${fileName((name.split("/").at(-1) ?? name).replace(/\.\w{1,5}$/, ""))}.jpg`;
}

/** Without what file systems do not take. */
function fileName(name: string): string {
  const clean = [...name].map((c) => (/[\\/:*?"<>|]/.test(c) || c < " " ? "_" : c)).join("");
  return (
    clean
      .trim()
      .replace(/^\.+|\.+$/g, "_")
      .slice(0, 100) || "_"
  );
}

function unused(path: string, taken: Set<string>): string {
  const [, stem = path, ending = ""] = /^(.*?)(\.jpg)?$/.exec(path) ?? [];
  let free = path;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${stem} (${n})${ending}`;
  taken.add(free.toLowerCase());
  return free;
}

function quoted(field: string | number | boolean | undefined): string {
  const text = field === undefined ? "" : String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
