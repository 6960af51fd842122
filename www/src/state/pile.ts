import { computed, signal } from "@preact/signals";
import { stampOf } from "../media/stamp.ts";

/** A photo or video as the user has it. */
export interface Source {
  readonly id: number;
  readonly file: File;
  /** Its folder and name, as far as the browser tells. */
  readonly path: string;
  /** Of the file's bytes: the same content twice is one photo. Undefined before it was looked at. */
  readonly digest?: string | undefined;
  /** Of the upright picture, in pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** A small JPEG of it. */
  readonly picture?: Blob | undefined;
  /** Its object URL. */
  readonly thumbnail?: string | undefined;
  readonly camera?: string | undefined;
  /** When it was taken, in milliseconds since 1970. */
  readonly time?: number | undefined;
  /** Whether it shows one person, and is taken whole. Undefined before that was found out. */
  readonly isWhole?: boolean | undefined;
  /** By which the gallery knows it; a video's people have one each. */
  readonly hashes: readonly string[];
  /** A video's people, cut out: each is a picture of its own. */
  readonly cuts?: ReadonlyMap<string, Blob> | undefined;
  readonly state: "waiting" | "reading" | "read";
  /** Taken out by the user; it is there again when one of its people is brought back. */
  readonly isRemoved?: boolean | undefined;
}

/** The photos that the user gave. They are never held decoded: a file is a reference, and what is shown is a small picture. */
export class Pile {
  readonly sources = signal<readonly Source[]>([]);
  /** Those that the user sees. */
  readonly shown = computed(() => this.sources.value.filter(({ isRemoved }) => !isRemoved));
  readonly #byHash = computed(
    () => new Map(this.sources.value.flatMap((source) => source.hashes.map((hash) => [hash, source] as const))),
  );
  /** Called with each that is new or other than it was. */
  onChange: (source: Source) => void = () => {};
  onForget: (source: Source) => void = () => {};
  #next = 0;

  /** Takes files in, and gives back those that are new by name, size and date. */
  add(files: readonly { readonly file: File; readonly path: string }[]): Source[] {
    const known = new Set(
      this.sources
        .peek()
        .filter((source) => !source.isRemoved)
        .map(identity),
    );
    const fresh: Source[] = [];
    for (const given of files) {
      if (known.has(identity(given))) continue;
      known.add(identity(given));
      fresh.push({ ...given, id: this.#next++, hashes: [], state: "waiting" });
    }
    this.sources.value = [...this.sources.peek(), ...fresh];
    for (const source of fresh) this.onChange(source);
    return fresh;
  }

  /** Those of an earlier visit, or of a file, that are not here already. */
  restore(sources: readonly Source[]): void {
    const known = new Set(this.sources.peek().map(({ digest }) => digest));
    const restored = sources
      .filter(({ digest }) => digest === undefined || !known.has(digest))
      .map((source): Source => {
        const id = Math.max(source.id, this.#next);
        this.#next = id + 1;
        return {
          ...source,
          id,
          state: source.state === "reading" ? "waiting" : source.state,
          thumbnail: source.picture && URL.createObjectURL(source.picture),
        };
      });
    this.sources.value = [...this.sources.peek(), ...restored];
    for (const source of restored) this.onChange(source);
  }

  get(id: number): Source | undefined {
    return this.sources.peek().find((source) => source.id === id);
  }

  ofHash(hash: string): Source | undefined {
    return this.#byHash.peek().get(hash);
  }

  update(id: number, change: Partial<Source>): void {
    this.updateAll(new Set([id]), change);
  }

  updateAll(ids: ReadonlySet<number>, change: Partial<Source>): void {
    if (ids.size === 0) return;
    this.sources.value = this.sources.peek().map((source) => {
      if (!ids.has(source.id)) return source;
      const changed = { ...source, ...change };
      this.onChange(changed);
      return changed;
    });
  }

  /** As if they had never been there. */
  forget(ids: ReadonlySet<number>): void {
    const gone = this.sources.peek().filter(({ id }) => ids.has(id));
    this.sources.value = this.sources.peek().filter(({ id }) => !ids.has(id));
    for (const source of gone) {
      if (source.thumbnail) URL.revokeObjectURL(source.thumbnail);
      this.onForget(source);
    }
  }
}

function identity({ file, path }: { readonly file: File; readonly path: string }): string {
  return `${path}/${stampOf(file)}`;
}
