import { Connection } from "./connection.js";
import type { DevicePreference } from "./device.js";
import { ReidError } from "./errors.js";
import type { CallName, Calls, CreatedModel, TrainedModel } from "./protocol.js";
import type { WeightsFile } from "./weights.js";

/** After one of these the WebAssembly instance or its device is spoilt: only a new worker helps. */
const FATAL = new Set(["internal", "device-lost", "out-of-memory"]);

const OUTDATED = new ReidError("internal", "The model has other weights now.");

/**
 * A model in a worker that outlives its worker: when one dies, the next call starts another from the kept weights.
 * These, and those before the last fine-tune, are kept as Blobs, which a browser may hold on disk.
 */
export class Session {
  readonly #module: WebAssembly.Module;
  #weights: WeightsFile;
  /** What `undo` goes back to. */
  #before: WeightsFile | undefined;
  readonly #device: DevicePreference;
  /** The worker with its model ready to work; undefined before the first call and after a crash. */
  #ready: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #model: CreatedModel | undefined;
  #closed: ReidError | undefined;
  /** More workers with the same weights, while they are the same. */
  #helpers: Session[] = [];

  constructor(module: WebAssembly.Module, weights: WeightsFile, device: DevicePreference) {
    this.#module = module;
    this.#weights = weights;
    this.#device = device;
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

  /**
   * This session and others with the same weights, as many as `count` together. A WebAssembly instance computes on one
   * thread, so on the CPU each of them can have one of the processor's; a GPU has enough with one.
   */
  crew(count: number): Session[] {
    if (this.model.description.device === "gpu") return [this];
    while (this.#helpers.length < count - 1) this.#helpers.push(new Session(this.#module, this.#weights, "cpu"));
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

  call<K extends CallName>(call: K, request: Calls[K]["request"]): Promise<Calls[K]["reply"]> {
    return this.use((connection) => connection.call(call, request));
  }

  /**
   * The worker for calls that belong together. `callOn` fails for good once it is dead, where `call` would go on to the
   * next one, which knows nothing of the calls before.
   */
  async connect(): Promise<Connection> {
    await this.open();
    return this.#connection as Connection;
  }

  async callOn<K extends CallName>(
    connection: Connection,
    call: K,
    request: Calls[K]["request"],
  ): Promise<Calls[K]["reply"]> {
    try {
      return await connection.call(call, request);
    } catch (error) {
      if (isFatal(error) && this.#connection === connection) this.#bury(error);
      throw error;
    }
  }

  /** What the worker computes with from now on: workers to come start from it. */
  keep({ weights, description }: TrainedModel): void {
    this.dismiss(OUTDATED);
    this.#before = this.#weights;
    this.#model = { ...this.model, description };
    this.#weights = { content: weights, name: `${this.#weights.name.replace(/\.\w+$/, "")}.safetensors` };
  }

  /** Back to the weights before the last `keep`; false when there are none. */
  async undo(): Promise<boolean> {
    const before = this.#before;
    if (!before) return false;
    this.dismiss(OUTDATED);
    const description = await this.call("undo", {});
    this.#weights = before;
    this.#before = undefined;
    if (description) {
      this.#model = { ...this.model, description };
    } else {
      // A worker that came after a crash knows only the weights it was started with.
      this.#bury(new ReidError("internal", "The engine is started again with the weights before."));
      await this.open();
    }
    return true;
  }

  close(reason: ReidError): void {
    this.#closed ??= reason;
    this.dismiss(reason);
    this.#connection?.close(this.#closed);
  }

  /** Runs `use` on a worker that is ready, and once more on a new one if it dies of it. */
  async use<T>(use: (connection: Connection) => Promise<T>, retry = true): Promise<T> {
    if (this.#closed) throw this.#closed;
    this.#ready ??= this.#start();
    const ready = this.#ready;
    try {
      return await use(await ready);
    } catch (error) {
      if (this.#closed || !isFatal(error)) throw error;
      // Several calls may fail together: the first of them buries the worker, the others find the next one.
      if (this.#ready === ready) this.#bury(error);
      if (!retry) throw error;
      return this.use(use, false);
    }
  }

  #bury(reason: ReidError): void {
    this.#connection?.close(reason);
    this.#ready = undefined;
  }

  async #start(): Promise<Connection> {
    const connection = new Connection();
    this.#connection = connection;
    this.#model = await connection.call("create", {
      module: this.#module,
      weights: this.#weights,
      device: this.#device,
    });
    return connection;
  }
}

/** Whether only a new worker helps. */
export function isFatal(error: unknown): error is ReidError {
  return error instanceof ReidError && FATAL.has(error.code);
}
