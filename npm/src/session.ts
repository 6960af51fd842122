import { type DevicePreference, insteadOfGpu } from "./device.js";
import type { EngineDescription } from "./engine.js";
import { connectEngine, type EngineConnection } from "./engine-connection.js";
import { ReidError } from "./errors.js";
import type { OwnWeights } from "./formats.js";
import type { Answer, CallName, Calls, CreatedModel } from "./protocol.js";

/** After one of these the WebAssembly instance or its device is spoilt: only a new worker helps. */
const FATAL = new Set(["internal", "device-lost"]);

const GPU_CRASH = "the engine crashed while the GPU was opened";

const OUTDATED = new ReidError("internal", "The model has other weights now.");

/**
 * A model in a worker that outlives its worker: when one dies, the next call starts another from the kept weights.
 * These, and those before the last fine-tune, are kept as Blobs, which a browser may hold on disk.
 */
export class Session {
  readonly #module: WebAssembly.Module;
  #weights: OwnWeights;
  /** What `undo` goes back to. */
  #before: OwnWeights | undefined;
  readonly #device: DevicePreference;
  /** Whether opening a GPU has ended a worker: those after it leave it alone. */
  #gpuCrashes = false;
  /** The worker with its model ready to work; undefined before the first call and after a crash. */
  #ready: Promise<EngineConnection> | undefined;
  #connection: EngineConnection | undefined;
  #model: CreatedModel | undefined;
  /** How often the model has changed: workers tell by it which one they answer with. */
  #generation: number;
  /** Settled when the last change of the model is through. */
  #changed: Promise<unknown> = Promise.resolve();
  #closed: ReidError | undefined;
  /** More workers with the same weights, while they are the same. */
  #helpers: Session[] = [];

  constructor(module: WebAssembly.Module, weights: OwnWeights, device: DevicePreference, generation = 0) {
    this.#module = module;
    this.#weights = weights;
    this.#device = device;
    this.#generation = generation;
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

  /** One sentence for people: which device is at work, and why. */
  get deviceReason(): string {
    const { deviceReason, description } = this.model;
    const fault = this.#gpuCrashes ? GPU_CRASH : description.fallback;
    return fault === undefined ? deviceReason : insteadOfGpu(fault);
  }

  /** Whether it is on a GPU, and nobody insists on that. */
  get mayLeaveGpu(): boolean {
    return this.#device === "auto" && this.model.description.device === "gpu";
  }

  /**
   * This session and others with the same weights, as many as `count` together. A WebAssembly instance computes on one
   * thread, so on the CPU each of them can have one of the processor's; a GPU has enough with one.
   */
  crew(count: number): Session[] {
    if (this.model.description.device === "gpu") return [this];
    while (this.#helpers.length < count - 1) {
      this.#helpers.push(new Session(this.#module, this.#weights, "cpu", this.#generation));
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

  /**
   * The worker for calls that belong together. `callOn` fails for good once it is dead, where `call` would go on to the
   * next one, which knows nothing of the calls before.
   */
  async connect(): Promise<EngineConnection> {
    await this.open();
    return this.#connection as EngineConnection;
  }

  async callOn<K extends CallName>(
    connection: EngineConnection,
    call: K,
    request: Calls[K]["request"],
  ): Promise<Calls[K]["reply"]> {
    try {
      return (await connection.call(call, request)).value;
    } catch (error) {
      if ((isFatal(error) || connection.ended) && this.#connection === connection) this.#bury(error as ReidError);
      throw error;
    }
  }

  /** Puts what the worker has learnt into its model: workers to come start from it. After a failure all is as it was. */
  applyTraining(connection: EngineConnection, training: number): Promise<void> {
    return this.#change(async () => {
      const request = { training, generation: this.#generation + 1 };
      const { weights, description } = await this.callOn(connection, "applyTraining", request);
      const before = this.#weights;
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

  /** Runs `use` on a worker that is ready, and once more on a new one if it dies of it. */
  async use<T>(use: (connection: EngineConnection) => Promise<T>, retry = true): Promise<T> {
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
      if (!retry) throw error;
      return this.use(use, false);
    }
  }

  #bury(reason: ReidError): void {
    this.#connection?.close(reason);
    this.#ready = undefined;
  }

  /** Starts a worker. Where any device will do, one that dies of opening a GPU is followed by one on the CPU. */
  async #start(): Promise<EngineConnection> {
    const connection = connectEngine();
    this.#connection = connection;
    const device = this.#gpuCrashes ? "cpu" : this.#device;
    const request = { module: this.#module, weights: this.#weights, device, generation: this.#generation };
    try {
      const { value } = await connection.call("create", request);
      this.#model = value;
      return connection;
    } catch (error) {
      connection.close(error as ReidError);
      const isGpus = (error as ReidError).code === "no-device";
      if (!this.#closed && isGpus && device === "auto") {
        this.#gpuCrashes = true;
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
