import { GpuCrash } from "./connection.js";
import type { DetectorDescription, DevicePreference, EngineDescription, FineTuneDepth } from "./engine.js";
import { connectEngine, type EngineConnection } from "./engine-connection.js";
import { ReidError } from "./errors.js";
import type { OwnWeights } from "./formats.js";
import type { Answer, CallName, Calls, CreatedModel, WantedDevice } from "./protocol.js";
import { Trainer } from "./trainer.js";

/** After one of these the WebAssembly instance or its device is spoilt: only a new worker helps. */
const FATAL = new Set(["internal", "device-lost"]);

const OUTDATED = new ReidError("internal", "The model has other weights now.");

/** Why the GPU is left alone. */
const LOST = "the GPU was lost while it computed, more than once";

const OVER = new ReidError("bad-input", "This fine-tune is over.");

/** A detector that is to be started. */
export interface DetectorFile {
  readonly weights: OwnWeights;
  /** Whether its worker takes the largest photos, whose memory only its end gives back. */
  readonly takesLarge: boolean;
}

export interface SessionStart {
  readonly generation?: number;
  /** A worker that is on its way already. */
  readonly starting?: EngineConnection;
  /** Whether what finds people beside a model is opened when it is first asked for. */
  readonly opensLate?: boolean;
}

/**
 * A model in a worker that outlives its worker: when one dies, the next call starts another from the kept weights.
 * These, and those before the last fine-tune, are kept as Blobs, which a browser may hold on disk.
 */
export class Session {
  readonly #module: WebAssembly.Module;
  /** Undefined where only people are looked for. */
  #weights: OwnWeights | undefined;
  /** What `undo` goes back to. */
  #before: OwnWeights | undefined;
  readonly #device: DevicePreference;
  /** Why the GPU is left alone: opening it has ended a worker. */
  #unusable: string | undefined;
  /** The worker with its model ready to work; undefined before the first call and after a crash. */
  #ready: Promise<EngineConnection> | undefined;
  #connection: EngineConnection | undefined;
  #model: CreatedModel | undefined;
  /** What finds people, beside the model or alone. */
  #detector: DetectorFile | undefined;
  #detectorDescription: DetectorDescription | undefined;
  /** The worker that has it. */
  #detectorOn: { readonly connection: EngineConnection; readonly opened: Promise<void> } | undefined;
  /** Whether it waits to be asked for: helpers mostly extract, and it takes a worker tens of megabytes. */
  readonly #opensLate: boolean;
  /** How often the model has changed: workers tell by it which one they answer with. */
  #generation: number;
  /** The first worker, until it is taken. */
  #starting: EngineConnection | undefined;
  /** Settled when the last change of the model is through. */
  #changed: Promise<unknown> = Promise.resolve();
  #closed: ReidError | undefined;
  /** Calls under way. */
  #uses = 0;
  /** More workers with the same weights, while they are the same. */
  #helpers: Session[] = [];
  /** The fine-tune under way. */
  #trainer: Trainer | undefined;
  /** Seconds that an image of a step of training took last, by the depth. */
  readonly trainSeconds: Partial<Record<FineTuneDepth, number>> = {};

  constructor(
    module: WebAssembly.Module,
    { weights, detector }: { readonly weights?: OwnWeights | undefined; readonly detector?: DetectorFile | undefined },
    device: DevicePreference,
    { generation = 0, starting, opensLate = false }: SessionStart = {},
  ) {
    this.#module = module;
    this.#weights = weights;
    this.#detector = detector;
    this.#device = device;
    this.#generation = generation;
    this.#starting = starting;
    this.#opensLate = opensLate;
  }

  /** Starts the model. Nothing else is called before this has resolved. */
  async open(): Promise<void> {
    await this.use(async () => {});
  }

  /** The model at work, as it was when last started: after a crash the device may be another. */
  get model(): CreatedModel {
    if (!this.#model) throw new ReidError("internal", "The model was not started.");
    return this.#model;
  }

  /** What finds people, as it was when last started. */
  get detector(): DetectorDescription {
    if (!this.#detectorDescription) throw new ReidError("internal", "The detector was not started.");
    return this.#detectorDescription;
  }

  /** Puts a detector beside the model, one at a time: they share a worker and its device. */
  async addDetector(detector: DetectorFile): Promise<void> {
    if (this.#detector) {
      throw new ReidError("bad-input", "This ReIdentifier has a PersonDetector already: dispose of that first.");
    }
    await this.open();
    this.#detector = detector;
    try {
      await this.use((connection) => this.#openDetector(connection));
      // Those that there are do not have it.
      this.dismiss(OUTDATED);
    } catch (error) {
      this.#detector = undefined;
      throw error;
    }
  }

  async dropDetector(): Promise<void> {
    if (!this.#detector || this.#closed) return;
    this.#detector = undefined;
    this.#detectorOn = undefined;
    this.dismiss(OUTDATED);
    await this.call("dropDetector", {});
  }

  /** What a photo that is too large for a worker that stays is looked at with: it is to be closed after the call. */
  forLarge(): Session {
    const detector = this.#detector && { ...this.#detector, takesLarge: true };
    const session = new Session(this.#module, { detector }, this.#device);
    session.#unusable = this.#unusable;
    return session;
  }

  /** What a trainer is to learn on: where the CPU extracts, it learns too. */
  get wantedToTrain(): WantedDevice {
    const unusable = this.model.description.device === "cpu" ? "the CPU extracts as well" : undefined;
    return { device: this.#device, unusable };
  }

  /**
   * This session and others with the same weights, as many as `count` together. A WebAssembly instance computes on one
   * thread, so on the CPU each of them can have one of the processor's; a GPU has enough with one.
   */
  crew(count: number): Session[] {
    if ((this.#model?.description ?? this.detector).device === "gpu") return [this];
    while (this.#helpers.length < count - 1) {
      const content = { weights: this.#weights, detector: this.#detector };
      this.#helpers.push(new Session(this.#module, content, "cpu", { generation: this.#generation, opensLate: true }));
    }
    return [this, ...this.#helpers.slice(0, Math.max(0, count - 1))];
  }

  /** Starts as many as `crew` gives. */
  async openCrew(count: number): Promise<void> {
    await Promise.all(this.crew(count).map((session) => session.open()));
  }

  /** Ends the helpers: they have other weights, or cannot be had. */
  dismiss(reason: ReidError): void {
    for (const helper of this.#helpers.splice(0)) helper.close(reason);
  }

  async call<K extends CallName>(call: K, request: Calls[K]["request"]): Promise<Calls[K]["reply"]> {
    return (await this.ask(call, request)).value;
  }

  /** As `call`, and tells which model answered: answers of two generations are of two models. */
  ask<K extends CallName>(call: K, request: Calls[K]["request"]): Promise<Answer<Calls[K]["reply"]>> {
    return this.use((connection) => connection.call(call, request));
  }

  /** As `call`, of what finds people. */
  callDetector<K extends "detect" | "crop">(call: K, request: Calls[K]["request"]): Promise<Calls[K]["reply"]> {
    return this.use(async (connection) => {
      await this.#openDetector(connection);
      return (await connection.call(call, request)).value;
    });
  }

  /** Begins a fine-tune, one at a time. */
  openTrainer(): Trainer {
    if (this.#closed) throw this.#closed;
    if (this.#trainer) {
      throw new ReidError(
        "bad-input",
        "This model is being fine-tuned already: run that to its end, break out of its loop, or abort its signal.",
      );
    }
    this.#trainer = new Trainer();
    return this.#trainer;
  }

  /** Ends a fine-tune, and gives back what it took. */
  closeTrainer(trainer: Trainer): void {
    trainer.close(OVER);
    if (this.#trainer === trainer) this.#trainer = undefined;
  }

  /** Bytes of WebAssembly memory that the worker holds, and a trainer. */
  async memory(): Promise<number> {
    const held = await Promise.all([this.call("memory", {}), this.#trainer?.memory()]);
    return held[0] + (held[1] ?? 0);
  }

  /** Puts what was learnt into the model: workers to come start from it. After a failure all is as it was. */
  replace(weights: Blob): Promise<void> {
    return this.#change(async () => {
      const description = await this.call("replace", { weights, generation: this.#generation + 1 });
      const before = this.#weights;
      if (!before) throw new ReidError("internal", "There is no model to put it into.");
      this.#become({ content: weights, name: `${before.name.replace(/\.\w+$/, "")}.safetensors` }, description);
      this.#before = before;
    });
  }

  /** Back to the weights before the last training; false when there are none. */
  undo(): Promise<boolean> {
    return this.#change(async () => {
      const before = this.#before;
      if (!before) return false;
      const description = await this.call("undo", { generation: this.#generation + 1 });
      this.#become(before, description);
      this.#before = undefined;
      if (!description) {
        // A worker that came after a crash knows only the weights it was started with.
        this.#bury(new ReidError("internal", "The engine is started again with the weights before."));
        await this.open();
      }
      return true;
    });
  }

  close(reason: ReidError): void {
    this.#closed ??= reason;
    this.dismiss(reason);
    this.#trainer?.close(this.#closed);
    this.#connection?.close(this.#closed);
  }

  /** One change of the model after another: each goes out from what the one before left. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changed.then(change);
    this.#changed = changed.catch(() => {});
    return changed;
  }

  /** The worker has another model now; without a description, the next worker will. */
  #become(weights: OwnWeights, description: EngineDescription | undefined): void {
    this.dismiss(OUTDATED);
    this.#generation++;
    this.#weights = weights;
    if (description) this.#model = { ...this.model, description };
  }

  /** Ends the workers, whose memory never shrinks; the next call starts them anew. Not while they are at work: then false. */
  rest(): boolean {
    const sessions = [this, ...this.#helpers];
    if (sessions.some((session) => session.#uses > 0) || this.#trainer) return false;
    const reason = new ReidError("internal", "The engine rests.");
    this.dismiss(reason);
    this.#bury(reason);
    return true;
  }

  /** Runs `use` on a worker that is ready, and once more on a new one if it dies of it. */
  async use<T>(use: (connection: EngineConnection) => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await this.#use(use, true);
    } finally {
      this.#uses--;
    }
  }

  async #use<T>(use: (connection: EngineConnection) => Promise<T>, retry: boolean): Promise<T> {
    if (this.#closed) throw this.#closed;
    this.#ready ??= this.#start();
    const ready = this.#ready;
    let connection: EngineConnection | undefined;
    try {
      connection = await ready;
      return await use(connection);
    } catch (error) {
      if (this.#closed || !(isFatal(error) || connection?.ended)) throw error;
      // Several calls may fail together: the first of them buries the worker, the others find the next one.
      if (this.#ready === ready) this.#bury(error as ReidError);
      if (!retry) {
        // What a GPU is lost of time and again, the CPU can do.
        const isLost = (error as ReidError).code === "device-lost";
        if (!isLost || this.#device !== "auto" || this.#unusable !== undefined) throw error;
        this.#unusable = LOST;
      }
      return this.#use(use, false);
    }
  }

  #bury(reason: ReidError): void {
    this.#connection?.close(reason);
    this.#ready = undefined;
  }

  get #wanted(): { readonly module: WebAssembly.Module } & WantedDevice {
    return { module: this.#module, device: this.#device, unusable: this.#unusable };
  }

  /** Once on each worker. */
  async #openDetector(connection: EngineConnection): Promise<void> {
    if (!this.#detector) return;
    if (this.#detectorOn?.connection !== connection) {
      const opened = this.#createDetector(connection, this.#detector);
      this.#detectorOn = { connection, opened };
      opened.catch(() => {
        this.#detectorOn = undefined;
      });
    }
    await this.#detectorOn.opened;
  }

  async #createDetector(connection: EngineConnection, { weights, takesLarge }: DetectorFile): Promise<void> {
    const request = { ...this.#wanted, weights, takesLarge };
    this.#detectorDescription = (await connection.call("createDetector", request)).value;
  }

  /** Starts a worker. One that dies of opening a GPU is followed by one that leaves it alone. */
  async #start(): Promise<EngineConnection> {
    const connection = this.#starting ?? connectEngine();
    this.#starting = undefined;
    this.#connection = connection;
    try {
      if (this.#weights) {
        const request = { ...this.#wanted, weights: this.#weights, generation: this.#generation };
        this.#model = (await connection.call("create", request)).value;
      }
      if (!this.#opensLate || !this.#weights) await this.#openDetector(connection);
      return connection;
    } catch (error) {
      connection.close(error as ReidError);
      if (!this.#closed && error instanceof GpuCrash && this.#unusable === undefined) {
        this.#unusable = GpuCrash.clause;
        return this.#start();
      }
      // The next call is to try again, and not to find what came of this.
      this.#ready = undefined;
      throw error;
    }
  }
}

/** Whether only a new worker helps. */
export function isFatal(error: unknown): error is ReidError {
  return error instanceof ReidError && FATAL.has(error.code);
}
