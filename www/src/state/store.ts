import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { KeptCutOff } from "./cut-off.ts";
import type { Source } from "./pile.ts";

/** A photo without its file, which is written once, and without its object URL. */
export type KeptSource = Omit<Source, "file" | "thumbnail" | "cuts"> & {
  readonly cuts?: readonly (readonly [hash: string, picture: Blob])[];
};

/** What the page is set to, beside the gallery. */
export interface Settings {
  readonly strictness: number | undefined;
  readonly centre: boolean;
  /** By the models' fingerprints. */
  readonly cutOffs: ReadonlyMap<string, KeptCutOff>;
}

/** A model other than the built-in one: as it was when it was last used. */
export interface KeptModel {
  readonly name: string;
  readonly file: File;
}

interface Tables extends DBSchema {
  sources: { key: number; value: KeptSource };
  files: { key: number; value: File };
  /** `settings` is there where the user asked to keep things, and only there. */
  about: { key: "settings" | "model"; value: Settings | KeptModel };
}

export type Store = IDBPDatabase<Tables>;

const NAME = "webreid-page";
/** A database that does not open by then, for what other tabs do, is done without. */
const PATIENCE_MS = 4000;

/** The page's part of what the browser keeps: photos and settings. The people are the gallery's, which keeps itself. */
export async function openStore(): Promise<Store> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("The browser's database does not answer.")), PATIENCE_MS);
  });
  const opened = openDB<Tables>(NAME, 1, {
    upgrade(store) {
      store.createObjectStore("sources", { keyPath: "id" });
      store.createObjectStore("files");
      store.createObjectStore("about");
    },
  });
  return Promise.race([opened, late]);
}

export async function readSources(store: Store): Promise<Source[]> {
  const transaction = store.transaction(["sources", "files"]);
  const kept = await transaction.objectStore("sources").getAll();
  const sources: Source[] = [];
  for (const { cuts, ...source } of kept) {
    const file = await transaction.objectStore("files").get(source.id);
    if (file) sources.push({ ...source, file, ...(cuts && { cuts: new Map(cuts) }) });
  }
  return sources;
}

/** All or nothing. `files`: of those that are new. */
export async function writeSources(
  store: Store,
  sources: readonly Source[],
  files: ReadonlySet<number>,
): Promise<void> {
  const transaction = store.transaction(["sources", "files"], "readwrite");
  const writes: Promise<unknown>[] = [transaction.done];
  for (const { file, thumbnail: _, cuts, ...source } of sources) {
    writes.push(transaction.objectStore("sources").put({ ...source, ...(cuts && { cuts: [...cuts] }) }));
    if (files.has(source.id)) writes.push(transaction.objectStore("files").put(file, source.id));
  }
  await Promise.all(writes);
}

export async function forgetSources(store: Store, ids: readonly number[]): Promise<void> {
  const transaction = store.transaction(["sources", "files"], "readwrite");
  const deletions = ids.flatMap((id) => [
    transaction.objectStore("sources").delete(id),
    transaction.objectStore("files").delete(id),
  ]);
  await Promise.all([...deletions, transaction.done]);
}

export async function clearStore(store: Store): Promise<void> {
  const transaction = store.transaction(["sources", "files", "about"], "readwrite");
  await Promise.all([
    transaction.objectStore("sources").clear(),
    transaction.objectStore("files").clear(),
    transaction.objectStore("about").clear(),
    transaction.done,
  ]);
}
