// Counts what a library that tells nothing of it does on the GPU, by watching WebGPU's own methods.

export interface GpuCounters {
  /** Kernels started in one run of the network, and command buffers they were sent in. */
  readonly dispatches: number;
  readonly submits: number;
  /** Pipelines compiled since the start. */
  readonly pipelines: number;
  /** What its buffers held at the most, in bytes. */
  readonly bytes: number;
}

export function adapterName({ description, vendor, architecture }: GPUAdapterInfo): string {
  return description || [vendor, architecture].filter(Boolean).join(" ");
}

/** Made before the library starts. Buffers that it drops without `destroy` count as held. */
export class GpuTally {
  #pipelines = 0;
  #held = 0;
  #peak = 0;
  #adapter = "";
  readonly #destroyed = new WeakSet<GPUBuffer>();

  constructor() {
    const compiled = () => this.#pipelines++;
    watch(GPUAdapter, "requestDevice", ({ info }) => {
      this.#adapter = adapterName(info);
    });
    watch(GPUDevice, "createComputePipeline", compiled);
    watch(GPUDevice, "createComputePipelineAsync", compiled);
    watch(GPUDevice, "createBuffer", (_, buffer) => {
      this.#held += buffer.size;
      this.#peak = Math.max(this.#peak, this.#held);
    });
    watch(GPUBuffer, "destroy", (buffer) => {
      if (this.#destroyed.has(buffer)) return;
      this.#destroyed.add(buffer);
      this.#held -= buffer.size;
    });
  }

  /** The adapter whose device was asked for. */
  get adapter(): string {
    return this.#adapter;
  }

  /** Watches one run. Only then are dispatches watched: it would cost the runs that are timed. */
  async count(run: () => Promise<unknown>): Promise<GpuCounters> {
    let [dispatches, submits] = [0, 0];
    const unwatch = [
      watch(GPUComputePassEncoder, "dispatchWorkgroups", () => dispatches++),
      watch(GPUComputePassEncoder, "dispatchWorkgroupsIndirect", () => dispatches++),
      watch(GPUQueue, "submit", () => submits++),
    ];
    try {
      await run();
    } finally {
      for (const stop of unwatch) stop();
    }
    return { dispatches, submits, pipelines: this.#pipelines, bytes: this.#peak };
  }
}

type Method<T, K extends keyof T> = T[K] extends (...args: never[]) => infer R ? R : never;

/** Has `seen` called after each call of the method, with its object and what it gave. Returns how to stop that. */
function watch<T, K extends keyof T>(
  { prototype }: { readonly prototype: T },
  name: K,
  seen: (self: T, result: Method<T, K>) => void,
): () => void {
  const original = prototype[name] as (this: T, ...args: unknown[]) => Method<T, K>;
  function watched(this: T, ...args: unknown[]): Method<T, K> {
    const result = original.apply(this, args);
    seen(this, result);
    return result;
  }
  prototype[name] = watched as T[K];
  return () => {
    prototype[name] = original as T[K];
  };
}
