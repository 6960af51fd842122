// Browsers that promise a GPU and do not keep it. Each lie is told in the worker, before anything else runs there; under it
// lies SwiftShader, which is disguised as a graphics card so that it is taken.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { packageFolder } from "./files.ts";

/** What every worker is told first. */
export function disguise(): void {
  const info = { vendor: "nvidia", architecture: "ada", device: "", description: "", isFallbackAdapter: false };
  Object.defineProperty(GPUAdapter.prototype, "info", {
    get: () => ({ ...info, subgroupMinSize: 4, subgroupMaxSize: 128 }),
  });
}

/** How a browser fails, and what it does then. */
export const LIES: Readonly<Record<string, () => void>> = {
  "no adapter": () => {
    GPU.prototype.requestAdapter = async () => null;
  },
  "the adapter is refused": () => {
    GPU.prototype.requestAdapter = () => Promise.reject(new DOMException("not today", "OperationError"));
  },
  "the adapter never comes": () => {
    GPU.prototype.requestAdapter = () => new Promise(() => {});
  },
  "the second adapter is none": () => {
    const { requestAdapter } = GPU.prototype;
    let asked = 0;
    GPU.prototype.requestAdapter = async function (options) {
      return asked++ === 0 ? requestAdapter.call(this, options) : null;
    };
  },
  "the second adapter never comes": () => {
    const { requestAdapter } = GPU.prototype;
    let asked = 0;
    GPU.prototype.requestAdapter = function (options) {
      return asked++ === 0 ? requestAdapter.call(this, options) : new Promise(() => {});
    };
  },
  "the device is refused": () => {
    GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException("not today", "OperationError"));
  },
  "the device is none": () => {
    GPUAdapter.prototype.requestDevice = async () => null as unknown as GPUDevice;
  },
  "asking for a device throws": () => {
    GPUAdapter.prototype.requestDevice = () => {
      throw new TypeError("not today");
    };
  },
  "the device never comes": () => {
    GPUAdapter.prototype.requestDevice = () => new Promise(() => {});
  },
  "shaders throw": () => {
    GPUDevice.prototype.createShaderModule = () => {
      throw new TypeError("not today");
    };
  },
  "shaders are refused": () => {
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: "fn" });
    };
  },
  "pipelines throw": () => {
    GPUDevice.prototype.createComputePipeline = () => {
      throw new TypeError("not today");
    };
  },
  "pipelines are refused": () => {
    const { createComputePipeline } = GPUDevice.prototype;
    GPUDevice.prototype.createComputePipeline = function (descriptor) {
      const compute = { ...descriptor.compute, entryPoint: "none" };
      return createComputePipeline.call(this, { ...descriptor, compute });
    };
  },
  "pipelines fail inside the browser": () => {
    const { popErrorScope } = GPUDevice.prototype;
    GPUDevice.prototype.popErrorScope = async function () {
      await popErrorScope.call(this);
      return new GPUInternalError("not today");
    };
  },
  "buffers throw": () => {
    GPUDevice.prototype.createBuffer = () => {
      throw new RangeError("not today");
    };
  },
  "there is no memory for buffers": () => {
    const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
    const filters: GPUErrorFilter[] = [];
    GPUDevice.prototype.pushErrorScope = function (filter) {
      filters.push(filter);
      pushErrorScope.call(this, filter);
    };
    GPUDevice.prototype.popErrorScope = async function () {
      const filter = filters.pop();
      const error = await popErrorScope.call(this);
      return filter === "out-of-memory" ? new GPUOutOfMemoryError("not today") : error;
    };
  },
  "what is to be done is refused": () => {
    GPUQueue.prototype.submit = () => {
      throw new TypeError("not today");
    };
  },
  "nothing is done": () => {
    GPUQueue.prototype.submit = () => {};
  },
  "results are not numbers": () => {
    const { getMappedRange } = GPUBuffer.prototype;
    GPUBuffer.prototype.getMappedRange = function (offset, size) {
      const range = getMappedRange.call(this, offset, size);
      // Those that are read: MAP_READ.
      if (this.usage & 1) new Float32Array(range).fill(Number.NaN);
      return range;
    };
  },
  "results are a little wrong": () => {
    const { getMappedRange } = GPUBuffer.prototype;
    GPUBuffer.prototype.getMappedRange = function (offset, size) {
      const range = getMappedRange.call(this, offset, size);
      if (!(this.usage & 1)) return range;
      const values = new Float32Array(range);
      values.forEach((value, i) => {
        values[i] = i % 7 === 0 ? 1.1 * value : value;
      });
      return range;
    };
  },
  "results of several images are of the first": () => {
    const { writeBuffer } = GPUQueue.prototype;
    let first = 0;
    GPUQueue.prototype.writeBuffer = function (this: GPUQueue, buffer, offset, data, start, size) {
      first ||= size ?? data.byteLength;
      const bytes = new Uint8Array((data as Uint8Array).slice());
      for (let i = first; i < bytes.length; i++) bytes[i] = bytes[i % first] as number;
      writeBuffer.call(this, buffer, offset, bytes, start, size);
    } as typeof writeBuffer;
  },
  "results are refused": () => {
    GPUBuffer.prototype.mapAsync = () => Promise.reject(new DOMException("not today", "OperationError"));
  },
  "results never come": () => {
    GPUBuffer.prototype.mapAsync = () => new Promise(() => {});
  },
  "the device is lost meanwhile": () => {
    const { submit } = GPUQueue.prototype;
    const { requestDevice } = GPUAdapter.prototype;
    let device: GPUDevice | undefined;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      device = await requestDevice.call(this, descriptor);
      return device;
    };
    GPUQueue.prototype.submit = function (buffers) {
      submit.call(this, buffers);
      device?.destroy();
    };
  },
};

/** GPUs that serve for extraction, and give out where the trainer opens its own. */
export const TRAINER_LIES: Readonly<Record<string, () => void>> = {
  "there is no adapter for the trainer": () => {
    GPU.prototype.requestAdapter = async () => null;
  },
  "the trainer's adapter is refused": () => {
    const { requestAdapter } = GPU.prototype;
    let asked = 0;
    GPU.prototype.requestAdapter = function (options) {
      return asked++ === 0
        ? requestAdapter.call(this, options)
        : Promise.reject(new DOMException("no", "OperationError"));
    };
  },
  "the trainer's device throws": () => {
    GPUDevice.prototype.createShaderModule = () => {
      throw new TypeError("not today");
    };
  },
};

/** A GPU that has no memory for buffers above some kilobytes: as many as three images of the tests' model take. */
export function littleMemory(): void {
  const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const scopes: { filter: GPUErrorFilter; tooLarge: boolean }[] = [];
  GPUDevice.prototype.createBuffer = function (descriptor) {
    for (const scope of scopes) scope.tooLarge ||= descriptor.size > 3 * 3 * 256 * 128 * 4;
    return createBuffer.call(this, descriptor);
  };
  GPUDevice.prototype.pushErrorScope = function (filter) {
    scopes.push({ filter, tooLarge: false });
    pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const scope = scopes.pop();
    const error = await popErrorScope.call(this);
    return scope?.tooLarge && scope.filter === "out-of-memory" ? new GPUOutOfMemoryError("not today") : error;
  };
}

/** A GPU whose memory is full for as long as the page says so on the channel "memory". */
export function fullWhenTold(): void {
  const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const filters: GPUErrorFilter[] = [];
  let full = false;
  new BroadcastChannel("memory").onmessage = ({ data }) => {
    full = data;
  };
  GPUDevice.prototype.pushErrorScope = function (filter) {
    filters.push(filter);
    pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = async function () {
    const filter = filters.pop();
    const error = await popErrorScope.call(this);
    return full && filter === "out-of-memory" ? new GPUOutOfMemoryError("not today") : error;
  };
}

/** Tells of every device that is opened on the channel "devices". */
export function countDevices(): void {
  const channel = new BroadcastChannel("devices");
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    channel.postMessage("opened");
    return requestDevice.call(this, descriptor);
  };
}

type Script = "worker.js" | "trainer-worker.js";

/** Has the workers of a page lie, those of `liars`, or with `lie` undefined only wear the disguise. */
export async function tell(
  page: Page,
  lie?: () => void,
  liars: readonly Script[] = ["worker.js", "trainer-worker.js"],
): Promise<void> {
  for (const script of ["worker.js", "trainer-worker.js"] as const) {
    const told = [disguise, liars.includes(script) ? lie : undefined];
    const code = told.map((part) => (part ? `(${part})();\n` : "")).join("");
    const body = code + readFileSync(join(packageFolder, script), "utf8");
    await page.context().route(`**/dist/${script}`, (route) => route.fulfill({ contentType: "text/javascript", body }));
  }
}
