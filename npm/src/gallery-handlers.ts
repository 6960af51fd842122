// In the worker: the gallery that it holds, and where that is kept.
import { ReidError } from "./errors.js";
import { holdGallery, type Release } from "./gallery-lock.js";
import type { GalleryCalls, GalleryStatus, NewGallery, OpenedGallery } from "./gallery-protocol.js";
import type { PeopleGlue } from "./people-protocol.js";
import { giveBack } from "./spent.js";
import { type Slot, STORAGES, storageError } from "./storage.js";

type Calls = Omit<GalleryCalls, "open">;
type WasmGallery = InstanceType<PeopleGlue["Gallery"]>;

type Handlers = {
  readonly [K in keyof Calls]: (request: Calls[K]["request"]) => Calls[K]["reply"] | Promise<Calls[K]["reply"]>;
};

/** Where a gallery is kept. */
interface Kept {
  readonly name: string;
  readonly slot: Slot;
  /** Undefined where another tab has it: then it is only read. */
  readonly release: Release | undefined;
  /** Of the file as last written or read. */
  bytes: number;
}

/** How often a file that another tab replaces meanwhile is looked for. */
const TRIES = 3;

/** A gallery, and its status as replies tell it: undefined where there is none. */
export function galleryHandlers(glue: () => PeopleGlue): {
  readonly handlers: Handlers;
  status(): GalleryStatus | undefined;
} {
  let gallery: WasmGallery | undefined;
  let kept: Kept | undefined;
  /** Whether it is other than its file. */
  let changed = false;

  const read = (file: Uint8Array) => glue().Gallery.fromBytes(file);
  const handlers: Handlers = {
    createGallery(request) {
      gallery = create(glue(), request);
      return opened();
    },
    async readGallery({ file }) {
      gallery = read(new Uint8Array(await file.arrayBuffer()));
      return opened();
    },
    async openGallery({ name, ...request }) {
      kept = await keepAs(name);
      const found = await newestWhole(kept.slot, read);
      if (found) [gallery, kept.bytes] = found;
      else gallery = create(glue(), request);
      if (!found && kept.release) await saveFirst(name);
      return opened();
    },
    async keepGallery({ name }) {
      if (kept) throw new ReidError("bad-input", `The gallery is kept already, as "${kept.name}".`);
      const place = await keepAs(name);
      try {
        if (!place.release) throw new ReidError("in-use", `The gallery "${name}" is open: close it first.`);
        if (!(await place.slot.isEmpty())) {
          throw new ReidError("name-taken", `There is a gallery "${name}" already: choose another name, or delete it.`);
        }
        kept = place;
        await saveFirst(name);
      } catch (error) {
        kept = undefined;
        place.release?.();
        throw error;
      }
      return opened();
    },
    save,
    async closeGallery() {
      try {
        await save();
      } finally {
        kept?.release?.();
        kept = undefined;
      }
    },
    async contentHashes({ contents }) {
      const hashes: string[] = [];
      for (const content of contents) {
        const bytes = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content;
        hashes.push(glue().contentHash(bytes));
        giveBack(bytes);
      }
      return hashes;
    },
    findPhotos: ({ photos }) => held().find(photos),
    addPhotos: ({ photos, person, fingerprint, features, thumbnails }) =>
      change((gallery) => [...gallery.add(photos, person, fingerprint, features, thumbnails)]),
    act: ({ act }) => change((gallery) => [...gallery.act(JSON.stringify(act))]),
    splitInto: ({ person, parts }) => change((gallery) => [...gallery.splitInto(person, parts)]),
    undo: () => change((gallery) => gallery.undo()),
    redo: () => change((gallery) => gallery.redo()),
    photos: ({ photos }) => held().photos(photos && Uint32Array.from(photos)),
    people: () => ({ people: held().people(), unsure: [...held().unsure()] }),
    named: ({ name }) => held().named(name),
    thumbnail: ({ photo }) => held().thumbnail(photo),
    searchFeature: ({ feature, fingerprint, camera, top, cameras }) =>
      held().searchFeature(feature, fingerprint, camera, top, cameras),
    searchPerson: ({ person, top, cameras }) => held().searchPerson(person, top, cameras),
    searchPhoto: ({ photo, top, cameras }) => held().searchPhoto(photo, top, cameras),
    changeModel: ({ model: { fingerprint, dim }, photos, rows }) =>
      change((gallery) => {
        gallery.changeModel(fingerprint, dim, photos, rows);
        return undefined;
      }),
    groupingKey: () => held().groupingKey(),
    groupingInput: ({ doubted }) => held().groupingInput(doubted),
    features: ({ photos }) => held().features(Uint32Array.from(photos)),
    asked: () => held().asked(),
    openQuestion: ({ questions }) =>
      questions.find(({ a, b }) => held().isOpen(Uint32Array.from(a), Uint32Array.from(b))),
    toBlob: () => new Blob([held().toBytes()], { type: "application/zip" }),
    keptBytes: () => kept?.bytes,
  };
  return { handlers, status: () => gallery?.status() };

  function held(): WasmGallery {
    if (!gallery) throw new ReidError("internal", "The worker was asked for a gallery before it had one.");
    return gallery;
  }

  function create(glue: PeopleGlue, { model: { fingerprint, dim }, precision }: NewGallery): WasmGallery {
    changed = true;
    return new glue.Gallery(fingerprint, dim, precision);
  }

  function opened(): OpenedGallery {
    return { place: kept?.slot.place, readOnly: kept !== undefined && !kept.release, losses: held().losses() };
  }

  function change<T>(act: (gallery: WasmGallery) => T): T {
    if (kept && !kept.release) {
      throw new ReidError(
        "read-only",
        `The gallery "${kept.name}" is open in another tab, so that it can only be read here. Close it there and open it again.`,
      );
    }
    const value = act(held());
    changed = true;
    return value;
  }

  /** Writes the gallery where it is kept, if it has changed. */
  async function save(): Promise<undefined> {
    if (!kept?.release || !changed) return;
    const file = held().toBytes();
    try {
      await kept.slot.write(file);
    } catch (error) {
      throw storageError(error);
    }
    changed = false;
    kept.bytes = file.length;
  }

  /** Saves for the first time: a place that cannot be written, but for want of room, gives way to the next. */
  async function saveFirst(name: string): Promise<void> {
    changed = true;
    try {
      await save();
    } catch (error) {
      const next = STORAGES[STORAGES.findIndex(({ place }) => place === kept?.slot.place) + 1];
      if (!kept || !next || (error as ReidError).code === "storage-full") throw error;
      kept = { ...kept, slot: await next.slot(name) };
      await save();
    }
  }
}

/** Takes hold of a gallery's place: where it is, or the best there is for a new one. */
async function keepAs(name: string): Promise<Kept> {
  const release = await holdGallery(name);
  try {
    const slots: Slot[] = [];
    const faults: unknown[] = [];
    for (const storage of STORAGES) {
      try {
        const slot = await storage.slot(name);
        if (!(await slot.isEmpty())) return { name, slot, release, bytes: 0 };
        slots.push(slot);
      } catch (error) {
        faults.push(error);
      }
    }
    const [slot] = slots;
    if (!slot) throw storageError(faults[0]);
    return { name, slot, release, bytes: 0 };
  } catch (error) {
    release?.();
    throw error;
  }
}

/** The newest file that is whole, else the newest that can be read, and its bytes; undefined where there is none. */
async function newestWhole(
  slot: Slot,
  read: (file: Uint8Array) => WasmGallery,
  tries = TRIES,
): Promise<[WasmGallery, number] | undefined> {
  let partial: [WasmGallery, number] | undefined;
  let fault: unknown;
  try {
    for await (const file of slot.read()) {
      try {
        const found = read(file);
        if (found.losses().length === 0) return [found, file.length];
        partial ??= [found, file.length];
      } catch (error) {
        // A file before it would be without what the newer version wrote.
        if ((error as ReidError).code === "newer-gallery") throw error;
        fault ??= error;
      }
    }
  } catch (error) {
    // Another tab has put a newer one in its place.
    if (!(error instanceof DOMException)) throw error;
    if (tries > 1) return newestWhole(slot, read, tries - 1);
    throw storageError(error);
  }
  if (!partial && fault) throw fault;
  return partial;
}
