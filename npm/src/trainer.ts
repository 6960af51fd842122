import { Connection, GpuCrash } from "./connection.js";
import { ReidError } from "./errors.js";
import type { Value, WantedDevice } from "./protocol.js";
import { runtime } from "./runtime.js";
import type { TimedStep, TrainerCalls, TrainingRequest } from "./trainer-protocol.js";

/** A fine-tune under way, in a worker of its own: what goes wrong there ends it, and leaves the model as it was. */
export class Trainer {
  #connection: Connection<TrainerCalls> | undefined;
  #closed: ReidError | undefined;

  /** Where the GPU gives out, which is the trainer's alone, another device may do: the engine decides that, too. */
  async start(
    module: WebAssembly.Module,
    weights: Blob,
    wanted: WantedDevice,
    request: TrainingRequest,
  ): Promise<undefined> {
    const start = ({ device, unusable }: WantedDevice) =>
      this.#connect().call("start", { module, weights, device, unusable, ...request });
    try {
      await start(wanted);
    } catch (error) {
      if (this.#closed || wanted.unusable !== undefined || !isOfDevice(error)) throw error;
      const clause = error instanceof GpuCrash ? GpuCrash.clause : error.message;
      await start({ ...wanted, unusable: clause }).catch((second: ReidError) => {
        throw second.code === "no-device" && !(error instanceof GpuCrash) ? error : second;
      });
    }
  }

  /** Undefined when all steps are done. */
  async step(): Promise<TimedStep | undefined> {
    return (await this.#call("step")).value;
  }

  /** The trained weights. */
  async finish(): Promise<Blob> {
    return (await this.#call("finish")).value;
  }

  /** Bytes of WebAssembly memory. */
  async memory(): Promise<number> {
    // It may end meanwhile.
    const answer = await this.#connection?.call("memory", {}).catch(() => undefined);
    return answer?.value ?? 0;
  }

  close(reason: ReidError): void {
    this.#closed ??= reason;
    this.#connection?.close(this.#closed);
  }

  /** A new worker, in place of the one before. */
  #connect(): Connection<TrainerCalls> {
    if (this.#closed) throw this.#closed;
    this.#connection?.close(new ReidError("internal", "Another worker learns."));
    this.#connection = new Connection(runtime.startWorker("trainer-worker"));
    return this.#connection;
  }

  #call<K extends "step" | "finish">(call: K): Promise<Value<TrainerCalls[K]["reply"]>> {
    if (!this.#connection) throw new ReidError("internal", "The trainer was not started.");
    return this.#connection.call(call, {});
  }
}

function isOfDevice(error: unknown): error is ReidError {
  return error instanceof ReidError && ["no-device", "device-lost", "out-of-memory", "internal"].includes(error.code);
}
