// Galleries in the browser's database, where a page's own files cannot be had. A few lines: a library would have to be bundled
// by whoever uses the package without a bundler.
import type { GalleryStorage, KeptGallery, Slot } from "./storage.js";

const DATABASE = "webreid-galleries";
/** Files by name, and what a list says of each, so that it need not read them. */
const [FILES, ABOUT] = ["files", "about"];

type About = Omit<KeptGallery, "name">;

export const indexedDbStorage: GalleryStorage = {
  place: "indexeddb",

  list: () =>
    transact("readonly", async (_files, about) => {
      const [names, values] = await Promise.all([settled(about.getAllKeys()), settled<About[]>(about.getAll())]);
      return names.map((name, i) => ({ name: String(name), ...(values[i] as About) }));
    }),

  remove: (name) =>
    transact("readwrite", async (files, about) => {
      const there = (await settled(about.getKey(name))) !== undefined;
      await Promise.all([settled(files.delete(name)), settled(about.delete(name))]);
      return there;
    }),

  async slot(name): Promise<Slot> {
    const isEmpty = () => transact("readonly", async (_, about) => (await settled(about.getKey(name))) === undefined);
    await isEmpty();
    return {
      place: "indexeddb",
      isEmpty,
      async *read() {
        const file = await transact("readonly", (files) =>
          settled<Uint8Array<ArrayBuffer> | undefined>(files.get(name)),
        );
        if (file) yield file;
      },
      write: (file) =>
        transact("readwrite", async (files, about) => {
          const told: About = { bytes: file.length, changed: new Date() };
          await Promise.all([settled(files.put(file, name)), settled(about.put(told, name))]);
        }),
    };
  },
};

/** Everything in `use` holds, or nothing does. */
async function transact<T>(
  mode: "readonly" | "readwrite",
  use: (files: IDBObjectStore, about: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    for (const store of [FILES, ABOUT]) opening.result.createObjectStore(store as string);
  };
  const database = await settled(opening);
  try {
    const transaction = database.transaction([FILES, ABOUT] as string[], mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const store = (name: string | undefined) => transaction.objectStore(name as string);
    const [value] = await Promise.all([use(store(FILES), store(ABOUT)), done]);
    return value;
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
