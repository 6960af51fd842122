import { ReidError } from "./errors.js";
import type { CallTable, Reply, Value } from "./protocol.js";
import type { WorkerPort } from "./workers.js";

interface Waiting {
  resolve(reply: never): void;
  reject(error: ReidError): void;
  readonly onProgress: OnFraction | undefined;
}

/** Told how much is done, 0…1. */
export type OnFraction = (fraction: number) => void;

/** A worker died of opening a GPU: another one is to leave it alone. */
export class GpuCrash extends ReidError {
  constructor(crash: string) {
    super("no-device", `The engine crashed while the GPU was opened: ${crash}`);
  }

  /** For people who wonder why the CPU computes. */
  static readonly clause = "the engine crashed while the GPU was opened";
}

/**
 * One worker that takes the calls of a table, from its start to its end. Once it has crashed or was closed, every call on it
 * fails. `Rest` is what its replies tell beside a call's value.
 */
export class Connection<C extends CallTable<keyof C>, Rest = unknown> {
  readonly #worker: WorkerPort;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #end: ReidError | undefined;

  constructor(worker: WorkerPort) {
    this.#worker = worker;
    this.#worker.addEventListener("message", ({ data }) => this.#receive(data as Reply));
    this.#worker.addEventListener("error", ({ message }) => this.close(message ? failed(message) : notLoaded()));
    this.#worker.addEventListener("messageerror", () => this.close(failed("what it answered cannot be read here")));
    this.#worker.unref?.();
  }

  /** Whether every call on it fails from now on. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** What is in `transfer` goes over to the worker and is empty here. */
  call<K extends keyof C>(
    call: K,
    request: C[K]["request"],
    transfer: Transferable[] = [],
    onProgress?: OnFraction,
  ): Promise<Value<C[K]["reply"]> & Rest> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      try {
        this.#worker.postMessage({ id, call, ...request }, transfer);
      } catch (error) {
        // What the caller has given is not there any more, or was nothing of the kind.
        reject(
          new ReidError("bad-input", `what was given cannot go to a worker: ${messageOf(error)}`, { cause: error }),
        );
        return;
      }
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.ref?.();
    });
  }

  close(reason: ReidError): void {
    this.#end ??= reason;
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
    this.#waiting.clear();
  }

  #receive(reply: Reply): void {
    if ("crash" in reply) {
      const crash = reply.crash.replace(/^Uncaught /, "");
      this.close(reply.opening ? new GpuCrash(crash) : new ReidError("internal", `The engine crashed: ${crash}`));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if ("progress" in reply) {
      waiting?.onProgress?.(reply.progress);
      return;
    }
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref?.();
    if ("error" in reply) {
      const { code, message, sides } = reply.error;
      waiting?.reject(new ReidError(code, message, { sides }));
    } else waiting?.resolve(reply as never);
  }
}

function failed(message: string): ReidError {
  return new ReidError("internal", `The worker failed: ${message}.`);
}

function notLoaded(): ReidError {
  return new ReidError(
    "network",
    "The package's worker could not be loaded: its script is not where the package looks for it, or the page's content security " +
      "policy does not allow it (`worker-src`). With a bundler that does not know workers, serve a copy of the package's `dist` " +
      "folder, and say where it is: `configure({ assets })`.",
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
