// The `.reid` file that people take along: the gallery's own, which the command and the package read, with a model that has learnt,
// the cut-offs and the photos beside it, which they leave alone.
import {
  BlobReader,
  BlobWriter,
  configure,
  type Entry,
  type FileEntry,
  TextReader,
  TextWriter,
  ZipReader,
  ZipWriter,
} from "@zip.js/zip.js/lib/zip-core.js";
import { cutOffsFrom, type KeptCutOff } from "./cut-off.ts";
import type { Source } from "./pile.ts";
import type { KeptSource } from "./store.ts";

// Nothing is compressed: pictures and features hardly would be.
configure({ useWebWorkers: false, useCompressionStream: false });

const PHOTOS = "photos/";
const CUTS = "cuts/";
const PILE = "photos.json";
const MODEL = "model.safetensors";
const MODEL_NAME = "model.json";
const CUT_OFFS = "cut-offs.json";

/** What is in such a file. */
export interface Parcel {
  /** As the package reads it. */
  readonly gallery: Blob;
  readonly model: { readonly name: string; readonly file: File } | undefined;
  /** By the models' fingerprints. */
  readonly cutOffs: ReadonlyMap<string, KeptCutOff>;
  readonly sources: readonly Source[];
}

interface PackedSource extends Omit<KeptSource, "picture" | "cuts"> {
  readonly file: string;
  readonly type: string;
  readonly date: number;
  /** Of the people cut out of a video. */
  readonly cuts: readonly string[];
}

/** Packs what is given. The photos are read one after the other. */
export async function pack(
  { gallery, model, cutOffs, sources }: Parcel,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const zip = new ZipWriter(new BlobWriter("application/zip"), { level: 0, dataDescriptor: false });
  const own = new ZipReader(new BlobReader(gallery));
  for (const entry of await own.getEntries()) {
    if (isFile(entry)) await zip.add(entry.filename, new BlobReader(await contentOf(entry)));
  }
  if (model) {
    await zip.add(MODEL, new BlobReader(model.file));
    await zip.add(MODEL_NAME, new TextReader(JSON.stringify({ name: model.name, fileName: model.file.name })));
  }
  if (cutOffs.size > 0) await zip.add(CUT_OFFS, new TextReader(JSON.stringify(Object.fromEntries(cutOffs))));
  const packed: PackedSource[] = [];
  for (const [i, source] of sources.entries()) {
    signal.throwIfAborted();
    onProgress(i, sources.length);
    const { file: content, thumbnail: _, picture: __, cuts = new Map<string, Blob>(), ...about } = source;
    const file = `${PHOTOS}${i}-${content.name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}`;
    await zip.add(file, new BlobReader(content), { signal });
    for (const [hash, cut] of cuts) await zip.add(`${CUTS}${hash}`, new BlobReader(cut));
    packed.push({ ...about, file, type: content.type, date: content.lastModified, cuts: [...cuts.keys()] });
  }
  if (packed.length > 0) await zip.add(PILE, new TextReader(JSON.stringify(packed)));
  return zip.close();
}

/** Takes a file apart. What is no zip is given on as it is: the package says what is wrong with it. */
export async function unpack(file: Blob): Promise<Parcel> {
  let entries: Map<string, FileEntry>;
  try {
    const all = await new ZipReader(new BlobReader(file)).getEntries();
    entries = new Map(all.filter(isFile).map((entry) => [entry.filename, entry]));
  } catch {
    return { gallery: file, model: undefined, cutOffs: new Map(), sources: [] };
  }
  const isPlain = ![...entries.keys()].some(isExtra);
  return {
    gallery: isPlain ? file : await galleryOf(entries),
    model: await modelOf(entries),
    cutOffs: await cutOffsOf(entries).catch(() => new Map()),
    sources: await sourcesOf(entries).catch(() => []),
  };
}

async function galleryOf(entries: ReadonlyMap<string, FileEntry>): Promise<Blob> {
  const zip = new ZipWriter(new BlobWriter("application/zip"), { level: 0, dataDescriptor: false });
  for (const [name, entry] of entries) {
    if (!isExtra(name)) await zip.add(name, new BlobReader(await contentOf(entry)));
  }
  return zip.close();
}

async function modelOf(entries: ReadonlyMap<string, FileEntry>): Promise<Parcel["model"]> {
  const [entry, about] = [entries.get(MODEL), entries.get(MODEL_NAME)];
  if (!entry) return undefined;
  const { name, fileName } = about
    ? (JSON.parse(await about.getData(new TextWriter())) as { name: string; fileName: string })
    : { name: MODEL, fileName: MODEL };
  return { name: String(name), file: new File([await contentOf(entry)], String(fileName)) };
}

async function cutOffsOf(entries: ReadonlyMap<string, FileEntry>): Promise<ReadonlyMap<string, KeptCutOff>> {
  const entry = entries.get(CUT_OFFS);
  return cutOffsFrom(entry && JSON.parse(await entry.getData(new TextWriter())));
}

async function sourcesOf(entries: ReadonlyMap<string, FileEntry>): Promise<Source[]> {
  const list = entries.get(PILE);
  if (!list) return [];
  const packed = JSON.parse(await list.getData(new TextWriter())) as PackedSource[];
  const sources: Source[] = [];
  for (const { file: name, type, date, cuts: hashes, ...about } of packed) {
    const entry = entries.get(name);
    if (!entry) continue;
    const file = new File([await contentOf(entry)], about.path.split("/").at(-1) ?? name, { type, lastModified: date });
    const cuts = new Map<string, Blob>();
    for (const hash of hashes) {
      const cut = entries.get(`${CUTS}${hash}`);
      if (cut) cuts.set(hash, await contentOf(cut));
    }
    sources.push({ ...about, file, ...(cuts.size > 0 && { cuts }) });
  }
  return sources;
}

function isExtra(name: string): boolean {
  return [MODEL, MODEL_NAME, CUT_OFFS, PILE].includes(name) || name.startsWith(PHOTOS) || name.startsWith(CUTS);
}

function isFile(entry: Entry): entry is FileEntry {
  return !entry.directory;
}

function contentOf(entry: FileEntry): Promise<Blob> {
  return entry.getData(new BlobWriter());
}
