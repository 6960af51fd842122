import type { ChosenDevice, DevicePreference, DeviceRequest, SeenAdapter } from "./engine.js";
import { connectEngine } from "./engine-connection.js";
import { ReidError } from "./errors.js";
import { loadModule } from "./module.js";

export type { DevicePreference };

/** Which device it is to be: `device`, whether it is a GPU emulated in `software`, and the `reason`, a sentence for people. */
export type DeviceChoice = Readonly<ChosenDevice>;

/** What a browser that has WebGPU is waited for when it is asked for an adapter. */
const ADAPTER_MS = 20_000;

/** The part of `navigator.gpu` that is needed here; tests pass their own. */
export interface AdapterSource {
  requestAdapter(options?: GPURequestAdapterOptions): Promise<{ readonly info: SeenAdapter } | null>;
}

/**
 * Which device would be taken, before a model is loaded. `auto` takes WebGPU on a real adapter, else the CPU: an adapter
 * emulated in software is slower than WebAssembly on the same processor. `gpu` takes any adapter and fails with `no-device`
 * where there is none. Loads the engine, which decides, and which the first model takes as it is.
 */
export async function chooseDevice(
  preference: DevicePreference = "auto",
  gpu: AdapterSource | undefined = globalThis.navigator?.gpu,
): Promise<DeviceChoice> {
  const [request, module] = await Promise.all([
    deviceRequest(preference, undefined, gpu),
    loadModule("engine", undefined, undefined),
  ]);
  const worker = connectEngine();
  try {
    return (await worker.call("chooseDevice", { module, request })).value;
  } finally {
    worker.close(new ReidError("internal", "The device was chosen."));
  }
}

/** What the engine decides by. With `unusable`, a clause, the GPU failed before and is left alone. */
export async function deviceRequest(
  device: DevicePreference,
  unusable?: string,
  gpu: AdapterSource | undefined = globalThis.navigator?.gpu,
): Promise<DeviceRequest> {
  if (device === "cpu") return { device, adapter: {} };
  return { device, adapter: unusable === undefined ? await seenAdapter(gpu) : { unusable } };
}

/** What the adapter says about itself, or a sentence on why there is none. */
async function seenAdapter(gpu: AdapterSource | undefined): Promise<SeenAdapter> {
  if (!gpu) {
    const missing =
      globalThis.isSecureContext === false
        ? "browsers offer WebGPU only to pages served over https."
        : "this browser has no WebGPU.";
    return { missing };
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), ADAPTER_MS);
    });
    const adapter = await Promise.race([gpu.requestAdapter({ powerPreference: "high-performance" }), late]);
    if (adapter === "late") {
      return { missing: "this browser has WebGPU, but gave no answer when asked for a graphics adapter." };
    }
    if (!adapter) return { missing: "this browser has WebGPU, but found no graphics adapter for it." };
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
    return { vendor, architecture, device, description, isFallbackAdapter };
  } catch {
    return { missing: "this browser's WebGPU failed to open the graphics adapter." };
  } finally {
    clearTimeout(timer);
  }
}
