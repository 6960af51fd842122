// Galleries in files of the page's own: a folder each, with one numbered file, and while it is written again a second.
import type { GalleryStorage, KeptGallery, Slot } from "./storage.js";
import { decodeName, encodeName } from "./storage.js";

const FOLDER = "webreid-galleries";
const FILE = /^(\d+)\.reid$/;

export const opfsStorage: GalleryStorage = {
  place: "opfs",

  async list() {
    const galleries: KeptGallery[] = [];
    const root = await existing((await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER));
    if (!root) return galleries;
    for await (const [encoded, folder] of root.entries()) {
      const name = decodeName(encoded);
      if (name === undefined || !isFolder(folder)) continue;
      const file = (await filesOf(folder))[0];
      const { size: bytes, lastModified } = file ? await file.handle.getFile() : { size: 0, lastModified: 0 };
      if (file) galleries.push({ name, bytes, changed: new Date(lastModified) });
    }
    return galleries;
  },

  async remove(name) {
    const root = await existing((await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER));
    if (!root) return false;
    const removed = root.removeEntry(encodeName(name), { recursive: true }).then(() => true);
    return (await existing(removed)) ?? false;
  },

  async slot(name) {
    if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) {
      throw new Error("this browser does not write files of a page");
    }
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    return new FolderSlot(await root.getDirectoryHandle(encodeName(name), { create: true }));
  },
};

/** As workers have it; TypeScript knows it in libraries that leave out the page. */
interface WritableHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<{
    write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
    flush(): void;
    close(): void;
  }>;
}

class FolderSlot implements Slot {
  readonly place = "opfs";
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async isEmpty(): Promise<boolean> {
    return (await filesOf(this.#folder)).length === 0;
  }

  async *read(): AsyncIterable<Uint8Array<ArrayBuffer>> {
    for (const { handle } of await filesOf(this.#folder)) {
      yield new Uint8Array(await (await handle.getFile()).arrayBuffer());
    }
  }

  async write(file: Uint8Array<ArrayBuffer>): Promise<void> {
    const before = await filesOf(this.#folder);
    const name = `${(before[0]?.number ?? 0) + 1}.reid`;
    try {
      const handle = await this.#folder.getFileHandle(name, { create: true });
      const access = await (handle as WritableHandle).createSyncAccessHandle();
      try {
        for (let at = 0; at < file.length; ) {
          const written = access.write(file.subarray(at), { at });
          if (written === 0) throw new DOMException("The file grows no more.", "QuotaExceededError");
          at += written;
        }
        access.flush();
      } finally {
        access.close();
      }
    } catch (error) {
      await this.#folder.removeEntry(name).catch(() => {});
      throw error;
    }
    for (const { handle } of before) {
      // One that another tab reads at this moment goes the next time.
      await this.#folder.removeEntry(handle.name).catch(() => {});
    }
  }
}

/** The newest first. */
async function filesOf(
  folder: FileSystemDirectoryHandle,
): Promise<{ readonly number: number; readonly handle: FileSystemFileHandle }[]> {
  const files: { number: number; handle: FileSystemFileHandle }[] = [];
  for await (const [name, handle] of folder.entries()) {
    const number = Number(FILE.exec(name)?.[1]);
    if (number > 0 && !isFolder(handle)) files.push({ number, handle });
  }
  return files.sort((a, b) => b.number - a.number);
}

function isFolder(handle: FileSystemDirectoryHandle | FileSystemFileHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === "directory";
}

/** Undefined where it is not there. */
async function existing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}
