import type { ModelFiles } from "./session.ts";
import { PHOTO_TYPE } from "./view/photo-drag.ts";

const MODEL = /\.(safetensors|pth|pt|tar|onnx|xml|bin)$/i;

export function isModel(file: File): boolean {
  return MODEL.test(file.name);
}

/** The model among chosen files: an OpenVINO model is two of them, of others the first is taken. */
export function modelOf(files: readonly File[]): ModelFiles | undefined {
  const ending = (end: string) => files.find(({ name }) => name.toLowerCase().endsWith(end));
  const [xml, bin] = [ending(".xml"), ending(".bin")];
  return xml && bin ? { xml, bin } : files[0];
}

/** Calls back with what is dropped or pasted anywhere on the page; shows `overlay` while something hovers. */
export function acceptFiles(overlay: HTMLElement, onFiles: (files: File[]) => void): void {
  // Entering a child fires before leaving its parent: only the balance tells when the pointer has left the page.
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const show = (by: number) => {
    depth = Math.max(0, depth + by);
    overlay.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => hasFiles(event) && show(1));
  addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  // The page's own photos can only be dropped on what takes them.
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes(PHOTO_TYPE)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(-depth);
    if (event.dataTransfer) void filesOf(event.dataTransfer).then(onFiles);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

/** The files of a drop, those in folders included. */
async function filesOf(data: DataTransfer): Promise<File[]> {
  // Entries must all be taken before the first wait: the browser empties the list when the event is over.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...data.files];
  return (await Promise.all(entries.map(filesUnder))).flat();
}

async function filesUnder(entry: FileSystemEntry): Promise<File[]> {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) {
    return new Promise((resolve) =>
      (entry as FileSystemFileEntry).file(
        (file) => resolve([file]),
        () => resolve([]),
      ),
    );
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  // A reader hands out a hundred entries at a time, and an empty list at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return files;
    files.push(...(await Promise.all(entries.map(filesUnder))).flat());
  }
}
