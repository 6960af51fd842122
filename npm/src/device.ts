import { ReidError } from "./errors.js";

/** What a browser that has WebGPU is waited for when it is asked for an adapter. */
const ADAPTER_MS = 20_000;

export type DevicePreference = "auto" | "gpu" | "cpu";

export interface DeviceChoice {
  readonly device: "gpu" | "cpu";
  /** The GPU is emulated by the CPU: right results, slowly. */
  readonly software: boolean;
  /** One sentence for people: which device, and why. */
  readonly reason: string;
}

/** The part of `GPUAdapterInfo` that tells a real adapter from an emulated one. */
type AdapterInfo = Partial<Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description">> & {
  readonly isFallbackAdapter?: boolean;
};

/** The part of `navigator.gpu` that is needed here; tests pass their own. */
export interface AdapterSource {
  requestAdapter(options?: GPURequestAdapterOptions): Promise<{ readonly info: AdapterInfo } | null>;
}

const SOFTWARE_ADAPTERS = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

/**
 * Chooses where to compute. `auto` takes WebGPU on a real adapter, else the CPU: an adapter emulated in software is
 * slower than WebAssembly on the same processor. `gpu` takes any adapter and fails with `no-device` where there is none.
 */
export async function chooseDevice(
  preference: DevicePreference = "auto",
  gpu: AdapterSource | undefined = globalThis.navigator?.gpu,
): Promise<DeviceChoice> {
  if (preference === "cpu") return cpu("you chose it.");

  const info = await adapterInfo(gpu);
  if (typeof info === "string") {
    if (preference === "auto") return cpu(info);
    throw noDevice(info);
  }

  const software = isSoftware(info);
  const name = adapterName(info);
  if (preference === "gpu") {
    const note = software ? "; it is emulated in software, so expect it to be slow" : "";
    return { device: "gpu", software, reason: `GPU: you chose it. WebGPU runs on ${name}${note}.` };
  }
  if (software) return cpu(`WebGPU is only emulated in software here (${name}), which is slower.`);
  return { device: "gpu", software, reason: `GPU: WebGPU runs on ${name}.` };
}

function cpu(why: string): DeviceChoice {
  return { device: "cpu", software: false, reason: `CPU: ${why}` };
}

/** A GPU was asked for, and this sentence says why there is none. */
export function noDevice(why: string): ReidError {
  return new ReidError("no-device", `No GPU to compute on: ${why} Choose the device "auto" or "cpu" instead.`);
}

/** Why the CPU computes in place of a GPU that is there, which `fault` says. */
export function insteadOfGpu(fault: string): string {
  return cpu(`WebGPU cannot be used here: ${fault}.`).reason;
}

/** What the adapter says about itself, or a sentence on why there is none. */
async function adapterInfo(gpu: AdapterSource | undefined): Promise<AdapterInfo | string> {
  if (!gpu) {
    return globalThis.isSecureContext === false
      ? "browsers offer WebGPU only to pages served over https."
      : "this browser has no WebGPU.";
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), ADAPTER_MS);
    });
    const adapter = await Promise.race([gpu.requestAdapter({ powerPreference: "high-performance" }), late]);
    if (adapter === "late") return "this browser has WebGPU, but gave no answer when asked for a graphics adapter.";
    return adapter?.info ?? "this browser has WebGPU, but found no graphics adapter for it.";
  } catch {
    return "this browser's WebGPU failed to open the graphics adapter.";
  } finally {
    clearTimeout(timer);
  }
}

function isSoftware(info: AdapterInfo): boolean {
  if (info.isFallbackAdapter) return true;
  return [info.vendor, info.architecture, info.device, info.description].some((s) => s && SOFTWARE_ADAPTERS.test(s));
}

function adapterName(info: AdapterInfo): string {
  return info.description || [info.vendor, info.architecture].filter(Boolean).join(" ") || "an unnamed adapter";
}
