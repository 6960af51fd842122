// What the engine decides a device by, asked for on the page or in a worker.
import type { DevicePreference, DeviceRequest, SeenAdapter } from "./engine.js";

/** For sentences. */
const HERE = "WorkerGlobalScope" in globalThis || "document" in globalThis ? "this browser" : "this runtime";

/** What a browser that has WebGPU is waited for when it is asked for an adapter. */
const ADAPTER_MS = 20_000;

/** The part of `navigator.gpu` that is needed here; tests pass their own. */
export interface AdapterSource {
  requestAdapter(options?: {
    readonly powerPreference?: "low-power" | "high-performance";
  }): Promise<{ readonly info: SeenAdapter } | null>;
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
        : `${HERE} has no WebGPU.`;
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
