// A GPU of the page's own, to run kernels on that are not webreid's.
import { adapterName } from "../gpu-tally.ts";
import type { AdapterReport, Precision } from "./report.ts";

/** How long launches that are timed together take at the least, and how many there are at the most. */
const MEASURE_MS = 60;
const MOST_LAUNCHES = 1000;
/** How often they are timed, unless once takes long. */
const TIMES = 3;
const LONG_MS = 500;
/** A buffer's bytes at the most that is asked for. */
const LARGEST_BUFFER = 256 << 20;

export interface Launch {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: readonly [number, number];
}

export class Probe {
  readonly adapter: Omit<AdapterReport, "software">;
  readonly precisions: readonly Precision[];
  /** Bytes of the largest buffer that can be had. */
  readonly largest: number;
  readonly #device: GPUDevice;
  /** Rejects when the device is lost. */
  readonly #lost: Promise<never>;

  private constructor(adapter: GPUAdapter, device: GPUDevice) {
    const { limits, features, info } = adapter;
    const f16 = features.has("shader-f16");
    this.adapter = {
      name: adapterName(info),
      f16,
      timestamps: features.has("timestamp-query"),
      largestBuffer: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
    };
    this.precisions = f16 ? ["f32", "f16"] : ["f32"];
    this.largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    this.#device = device;
    this.#lost = device.lost.then(({ message }) => {
      throw new Error(`The graphics processor (GPU) was taken away. ${message}`);
    });
    this.#lost.catch(() => {});
  }

  /** On the adapter that webreid takes; aborting the signal takes the device away from what is under way. */
  static async open(signal: AbortSignal): Promise<Probe> {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("The browser gave no graphics adapter.");
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const device = await adapter.requestDevice({
      requiredFeatures: adapter.features.has("shader-f16") ? ["shader-f16"] : [],
      requiredLimits: {
        maxBufferSize: Math.min(maxBufferSize, LARGEST_BUFFER),
        maxStorageBufferBindingSize: Math.min(maxStorageBufferBindingSize, LARGEST_BUFFER),
      },
    });
    signal.addEventListener("abort", () => device.destroy(), { once: true });
    if (signal.aborted) device.destroy();
    return new Probe(adapter, device);
  }

  close(): void {
    this.#device.destroy();
  }

  /** Of zeros. */
  async buffer(bytes: number): Promise<GPUBuffer> {
    this.#device.pushErrorScope("out-of-memory");
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = this.#device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC | COPY_DST });
    const error = await this.#until(this.#device.popErrorScope());
    if (error) throw new Error(`The GPU has not enough memory for ${bytes >> 20} MiB.`);
    return buffer;
  }

  fill(buffer: GPUBuffer, offset: number, values: Uint8Array<ArrayBuffer>): void {
    this.#device.queue.writeBuffer(buffer, offset, values);
  }

  clear(buffer: GPUBuffer): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.clearBuffer(buffer);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** The shader with what it binds, in the bindings' order, and how many workgroups it takes. */
  async launch(code: string, buffers: readonly GPUBuffer[], groups: readonly [number, number]): Promise<Launch> {
    const module = this.#device.createShaderModule({ code });
    const compute = { module, entryPoint: "main" };
    const pipeline = await this.#until(this.#device.createComputePipelineAsync({ layout: "auto", compute }));
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    return {
      pipeline,
      bindings: this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      groups,
    };
  }

  /** Milliseconds until so many launches, one after the other, are done. */
  async run({ pipeline, bindings, groups: [x, y] }: Launch, count = 1): Promise<number> {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < count; i++) pass.dispatchWorkgroups(x, y);
    pass.end();
    const commands = encoder.finish();
    const start = performance.now();
    this.#device.queue.submit([commands]);
    await this.#until(this.#device.queue.onSubmittedWorkDone());
    return performance.now() - start;
  }

  /** Milliseconds of a launch, at best. What the browser adds is shared by as many as are launched together. */
  async time(launch: Launch): Promise<number> {
    // The first compiles.
    await this.run(launch);
    let count = 1;
    let ms = await this.run(launch);
    while (ms < MEASURE_MS / 2 && count < MOST_LAUNCHES) {
      count = Math.min(MOST_LAUNCHES, Math.ceil((count * MEASURE_MS) / ms));
      ms = await this.run(launch, count);
    }
    let best = ms;
    for (let i = 1; i < TIMES && ms < LONG_MS; i++) best = Math.min(best, await this.run(launch, count));
    return best / count;
  }

  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const { MAP_READ, COPY_DST } = GPUBufferUsage;
    const readback = this.#device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, readback, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    await this.#until(readback.mapAsync(GPUMapMode.READ));
    const values = readback.getMappedRange().slice(0);
    readback.destroy();
    return values;
  }

  /** What a lost device would leave waiting for ever. */
  #until<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#lost]);
  }
}
