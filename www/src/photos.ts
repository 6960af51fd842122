import type { Feature } from "webreid";

export interface Photo {
  readonly id: number;
  readonly file: File;
  /** Object URL of the file; revoked when the photo is removed. */
  readonly url: string;
  /** Undefined until the model has seen the photo. */
  feature: Feature | undefined;
}

/** A file that could not be used, and why. */
export interface Problem {
  readonly name: string;
  readonly reason: string;
}

/** The photos of the page and the files that turned out to be none. */
export class Photos {
  readonly #photos = new Map<number, Photo>();
  #nextId = 0;
  problems: Problem[] = [];

  get all(): Photo[] {
    return [...this.#photos.values()];
  }

  get waiting(): Photo[] {
    return this.all.filter((photo) => !photo.feature);
  }

  /** What the model has seen so far. */
  get features(): Map<Photo, Feature> {
    return new Map(this.all.flatMap((photo) => (photo.feature ? [[photo, photo.feature]] : [])));
  }

  has(photo: Photo): boolean {
    return this.#photos.has(photo.id);
  }

  /** Adds what is not there yet, and tells how many that were. */
  add(files: readonly File[]): number {
    const known = new Set(this.all.map((photo) => identity(photo.file)));
    const fresh = files.filter((file) => !known.has(identity(file)));
    for (const file of fresh) {
      const id = this.#nextId++;
      this.#photos.set(id, { id, file, url: URL.createObjectURL(file), feature: undefined });
    }
    return fresh.length;
  }

  remove(photo: Photo): void {
    if (this.#photos.delete(photo.id)) URL.revokeObjectURL(photo.url);
  }

  /** Takes a photo out that cannot be used. */
  reject(photo: Photo, reason: string): void {
    if (!this.has(photo)) return;
    this.remove(photo);
    this.problems.push({ name: photo.file.name, reason });
  }

  clear(): void {
    for (const photo of this.all) this.remove(photo);
    this.problems = [];
  }

  /** Features of one model say nothing to another: keeps those of the model with that fingerprint. Without one, none. */
  keepFeaturesOf(fingerprint?: string): void {
    for (const photo of this.all) if (photo.feature?.fingerprint !== fingerprint) photo.feature = undefined;
  }
}

function identity(file: File): string {
  return `${file.webkitRelativePath || file.name}/${file.size}/${file.lastModified}`;
}
