import type { Contender, Run } from "./contender.ts";
import type { GpuCounters } from "./gpu-tally.ts";
import type { Loaded, PeerCalls, PeerReply } from "./peer-worker.ts";
import type { Setting } from "./plan.ts";

/**
 * onnxruntime-web. What is timed is the network alone, from the tensor to the feature on the CPU, in the worker: that the
 * images were made into a tensor before, and that no message is waited for, is to its advantage.
 */
export class Onnxruntime implements Contender {
  readonly #connection: Connection;
  readonly #loaded: Loaded;
  readonly #batch: number;

  private constructor(connection: Connection, loaded: Loaded, batch: number) {
    this.#connection = connection;
    this.#loaded = loaded;
    this.#batch = batch;
  }

  static async open(
    model: Blob,
    { device, threads }: Setting,
    images: readonly ImageData[],
    signal: AbortSignal,
  ): Promise<Onnxruntime> {
    const connection = new Connection();
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      const loaded = await connection.call("load", { model, device, threads, images });
      return new Onnxruntime(connection, loaded, images.length);
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  get device(): string {
    return this.#loaded.device;
  }

  /** Its WebGPU provider computes as the model is stored. */
  readonly precision = "f32";

  get version(): string {
    return this.#loaded.version;
  }

  /** Addresses of its script and module. */
  get files(): readonly string[] {
    return this.#loaded.files;
  }

  async run(): Promise<Run> {
    const { ms, features } = await this.#connection.call("run", {});
    const length = features.length / this.#batch;
    const rows = Array.from({ length: this.#batch }, (_, i) => features.subarray(i * length, (i + 1) * length));
    return { ms, features: rows.map(normalised) };
  }

  gpuCounters(): Promise<GpuCounters | undefined> {
    return this.#connection.call("gpuCounters", {});
  }

  close(): void {
    this.#connection.close();
  }
}

function normalised(feature: Float32Array): Float32Array {
  const length = Math.hypot(...feature);
  return feature.map((value) => value / length);
}

/** To the worker, which answers one call after another. */
class Connection {
  readonly #worker = new Worker(new URL("./peer-worker.ts", import.meta.url), { type: "module", name: "onnxruntime" });
  #waiting: { resolve(value: never): void; reject(error: Error): void } | undefined;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<PeerReply>) => {
      if ("error" in data) this.#waiting?.reject(new Error(`onnxruntime-web: ${data.error}`));
      else this.#waiting?.resolve(data.value as never);
    });
    this.#worker.addEventListener("error", ({ message }) => {
      this.#waiting?.reject(new Error(`The worker of onnxruntime-web failed: ${message}`));
    });
  }

  call<K extends keyof PeerCalls>(call: K, request: PeerCalls[K]["request"]): Promise<PeerCalls[K]["reply"]> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage({ call, ...request });
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#waiting?.reject(new Error("The worker of onnxruntime-web was ended."));
  }
}
