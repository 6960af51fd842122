import { model, notices, people, pile, reading, sheet } from "./app.ts";
import { kindOf } from "./media/kind.ts";
import { stampAll } from "./media/stamp.ts";
import { isVideo } from "./media/video.ts";
import { openParcel } from "./parcels.ts";
import type { ModelFiles } from "./state/model.ts";
import { words } from "./words.ts";

/** A file and where it lay. */
export interface Given {
  readonly file: File;
  readonly path: string;
}

const MODEL = /\.(safetensors|pth|pt|tar|onnx|xml|bin)$/i;
const GALLERY = /\.reid$/i;
const PICTURE = /\.(jpe?g|png|webp|gif|bmp|avif|heic|tiff?)$/i;
/** Files without an ending, as some cameras and chats leave them, are known by what is in them. */
const ENDING = /\.[a-z0-9]{1,5}$/i;

/** Photos are about to be given: what finds people on them is fetched meanwhile. */
export function expectPhotos(): void {
  // Why it cannot be had is told when it is needed.
  model.detector().catch(() => {});
}

/** Takes what was chosen, dropped or pasted: photos, and a model or a gallery where it comes alone. */
export async function take(given: readonly Given[]): Promise<void> {
  const files = given.map(({ file }) => file);
  if (people.isReadOnly.peek()) {
    notices.toast(words.people.readOnly);
    return;
  }
  const isAlone = files.length === 1 || (files.length === 2 && files.every(({ name }) => /\.(xml|bin)$/i.test(name)));
  const [first] = files;
  if (first && isAlone && MODEL.test(first.name)) {
    sheet.value = { is: "model" };
    await model.loadFile(modelOf(files) ?? first);
    return;
  }
  if (first && isGallery(first)) {
    await openParcel(first);
    return;
  }
  const isTaken = await Promise.all(given.map(({ file }) => isPhoto(file)));
  const photos = given.filter((_, i) => isTaken[i]);
  const others = given.filter(({ file }, i) => !isTaken[i] && !isGallery(file));
  const [other] = others;
  if (other && given.length === 1) {
    // Alone, what is no photo is named with what is wrong with it.
    notices.problem(other.path, words.reading.noPicture((await kindOf(other.file)) === "svg" ? "svg" : "other", ""));
  } else if (others.length > 0) notices.toast(words.reading.leftOut(others.length));
  await stampAll(photos.map(({ file }) => file));
  const fresh = pile.add(photos);
  if (photos.length > fresh.length) notices.toast(words.reading.already(photos.length - fresh.length));
  if (fresh.length > 0) await reading.go();
}

async function isPhoto(file: File): Promise<boolean> {
  const { type, name } = file;
  if (isVideo(file) || PICTURE.test(name)) return true;
  if (type.startsWith("image/")) return !type.startsWith("image/svg");
  return type === "" && !ENDING.test(name) && (await kindOf(file).catch(() => "other")) === "picture";
}

function isGallery({ name }: File): boolean {
  return GALLERY.test(name);
}

/** The model among chosen files: an OpenVINO model is two of them, of others the first is taken. */
export function modelOf(files: readonly File[]): ModelFiles | undefined {
  const ending = (end: string) => files.find(({ name }) => name.toLowerCase().endsWith(end));
  const [xml, bin] = [ending(".xml"), ending(".bin")];
  return xml && bin ? { xml, bin } : files[0];
}

/** The files of a drop, those in folders included. */
export async function filesOf(data: DataTransfer): Promise<Given[]> {
  // Entries must all be taken before the first wait: the browser empties the list when the event is over.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...data.files].map((file) => ({ file, path: file.name }));
  return (await Promise.all(entries.map(filesUnder))).flat();
}

async function filesUnder(entry: FileSystemEntry): Promise<Given[]> {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) {
    return new Promise((resolve) =>
      (entry as FileSystemFileEntry).file(
        (file) => resolve([{ file, path: entry.fullPath.replace(/^\//, "") }]),
        () => resolve([]),
      ),
    );
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: Given[] = [];
  // A reader hands out a hundred entries at a time, and an empty list at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return files;
    files.push(...(await Promise.all(entries.map(filesUnder))).flat());
  }
}
