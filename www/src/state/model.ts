import { computed, signal } from "@preact/signals";
import {
  chooseDevice,
  type DevicePreference,
  type ModelDescription,
  PersonDetector,
  type Progress,
  ReIdentifier,
} from "webreid";
import { isAborted, isOffline, messageOf, withoutEnding } from "../errors.ts";
import { words } from "../words.ts";
import type { Jobs, Work } from "./jobs.ts";
import { whenOnline } from "./network.ts";

/** A model's file, or an OpenVINO model's two. */
export type ModelFiles = File | { readonly xml: File; readonly bin: File };

/** Where a model comes from, and what people call it. */
export interface ModelSource {
  readonly name: string;
  readonly fileName: string;
  /** Undefined: the model that comes with the package. */
  readonly weights: ModelFiles | URL | undefined;
  /** Of a model that has learnt here: what it was called before, and how often it did. */
  readonly learnt?: { readonly base: string; readonly times: number } | undefined;
}

export const BUILT_IN: ModelSource = {
  name: words.model.builtIn,
  fileName: "webreid-small.safetensors",
  weights: undefined,
};

/** The model that tells people apart, and the detector beside it that finds them. */
export class Model {
  readonly source = signal<ModelSource>(BUILT_IN);
  readonly description = signal<ModelDescription | undefined>(undefined);
  readonly error = signal("");
  /** The model that could not be had, where there is none at all. */
  readonly wanting = signal<ModelSource | undefined>(undefined);
  readonly device = signal<DevicePreference>("auto");
  readonly deviceReason = signal("");
  /** People looked at in a second, as last measured. */
  readonly speed = signal<number | undefined>(undefined);
  readonly isReady = computed(() => this.description.value !== undefined);
  /** Called when another model is there, before it is used; the one before is still whole then. */
  onChange: (reid: ReIdentifier) => Promise<void> = async () => {};
  /** Called when it is in use. */
  onChanged: () => void = () => {};
  /** Called when a GPU has given out, and the CPU goes on. */
  onFallBack: () => void = () => {};

  readonly #jobs: Jobs;
  #reid: ReIdentifier | undefined;
  #ready = firstOne();
  /** With which the model in use was loaded. */
  #deviceInUse: DevicePreference = "auto";
  #loads = 0;
  #detector: { readonly of: ReIdentifier; readonly detector: Promise<PersonDetector> } | undefined;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** As soon as one is loaded. */
  get ready(): Promise<ReIdentifier> {
    return this.#reid ? Promise.resolve(this.#reid) : this.#ready.promise;
  }

  get now(): ReIdentifier | undefined {
    return this.#reid;
  }

  /** Loads a model; while that goes on, and where it fails, the one before stays in use. */
  load(source: ModelSource): Promise<boolean> {
    this.#jobs.cancel("model");
    const turn = ++this.#loads;
    return this.#jobs.run("model", async (work) => {
      // Another was asked for meanwhile.
      if (turn !== this.#loads) return false;
      this.error.value = "";
      this.wanting.value = undefined;
      const device = this.device.peek();
      try {
        const { name, weights } = source;
        work.progress(words.model.loading(name));
        const reid = await ReIdentifier.create({
          weights,
          device,
          signal: work.signal,
          onProgress: (progress) => work.progress(...modelProgress(progress, name)),
        });
        const old = this.#reid;
        if (old) await this.#announce(reid);
        this.#reid = reid;
        this.#deviceInUse = device;
        this.speed.value = undefined;
        this.use(source);
        this.#ready.resolve(reid);
        await old?.dispose();
        if (old) this.onChanged();
        return true;
      } catch (error) {
        if (!isAborted(error)) {
          this.error.value = `${messageOf(error)}${this.#reid ? ` ${words.model.stillInUse}` : ""}`;
        } else if (!this.#reid && turn === this.#loads) {
          this.error.value = words.model.cancelled;
        }
        if (!this.#reid && turn === this.#loads) {
          this.wanting.value = source;
          if (isOffline(error)) whenOnline(() => void this.retry());
        }
        // The menu does not go on saying what could not be had.
        if (this.#reid && turn === this.#loads) this.device.value = this.#deviceInUse;
        return false;
      }
    });
  }

  /** What cannot be used by the page leaves it as it was. */
  async #announce(fresh: ReIdentifier): Promise<void> {
    try {
      await this.onChange(fresh);
    } catch (error) {
      await fresh.dispose();
      this.onChanged();
      throw error;
    }
  }

  /** Once more where there is none at all. */
  async retry(): Promise<void> {
    const source = this.wanting.peek();
    if (source) await this.load(source);
  }

  loadFile(weights: ModelFiles | URL): Promise<boolean> {
    const fileName = fileNameOf(weights);
    return this.load({ name: fileName, fileName, weights });
  }

  /** The model is another one now: it has learnt, or that was undone. */
  use(source: ModelSource): void {
    this.source.value = source;
    this.#describe();
  }

  #describe(): void {
    this.description.value = this.#reid?.describe();
    this.deviceReason.value = this.description.peek()?.deviceReason ?? this.deviceReason.peek();
  }

  /** After a crash it may have come back on another device. */
  look(): void {
    const [before, now] = [this.description.peek(), this.#reid?.describe()];
    if (!before || !now || before.device === now.device) return;
    this.speed.value = undefined;
    this.#describe();
    if (now.device === "cpu") this.onFallBack();
  }

  /** Has the model run elsewhere. */
  async setDevice(device: DevicePreference): Promise<void> {
    this.device.value = device;
    const isLoaded = await this.load(this.source.peek());
    if (!isLoaded && !this.#reid) await this.describeDevice();
  }

  async describeDevice(): Promise<void> {
    this.deviceReason.value = await chooseDevice(this.device.peek()).then((choice) => choice.reason, messageOf);
  }

  /** What finds people in photos, fetched when it is first asked for; it shares the model's worker. */
  async detector(work?: Work): Promise<PersonDetector> {
    const reid = await this.ready;
    if (this.#detector?.of !== reid) {
      const detector = PersonDetector.create({
        with: reid,
        signal: work?.signal,
        onProgress: (progress) => {
          if (progress.phase === "download") work?.progress(...loading(words.model.detector, progress));
        },
      });
      this.#detector = { of: reid, detector };
      // One that could not be had is tried again.
      detector.catch(() => {
        this.#detector = undefined;
      });
    }
    return this.#detector.detector;
  }

  /** Gives back the memory that photos took. */
  rest(): void {
    this.#reid?.rest();
  }

  /** The model as it is now, as a file that can be loaded again. */
  async save(): Promise<File> {
    const weights = await (await this.ready).exportWeights();
    return new File([weights], `${withoutEnding(this.source.peek().fileName) || "model"}.safetensors`);
  }
}

function firstOne(): { readonly promise: Promise<ReIdentifier>; resolve(reid: ReIdentifier): void } {
  let resolve: (reid: ReIdentifier) => void = () => {};
  const promise = new Promise<ReIdentifier>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function fileNameOf(weights: ModelFiles | URL): string {
  if (weights instanceof URL) return weights.pathname.split("/").at(-1) || weights.hostname;
  return ("xml" in weights ? weights.xml : weights).name;
}

function modelProgress(progress: Progress, name: string): [label: string, fraction: number | undefined] {
  if (progress.phase !== "download") return [words.model.settingUp(name), undefined];
  return loading(progress.what === "engine" ? words.model.program : name, progress);
}

export function loading(
  what: string,
  { loaded, total }: Progress & { phase: "download" },
): [label: string, fraction: number | undefined] {
  return [words.model.downloading(what, loaded, total), total && loaded / total];
}
