import { type AdapterSource, deviceRequest } from "./device-request.js";
import type { ChosenDevice, DevicePreference } from "./engine.js";
import { connectEngine } from "./engine-connection.js";
import { ReidError } from "./errors.js";
import { loadModule } from "./module.js";
import { oneOf } from "./options.js";

export type { DevicePreference };

/** Which device it is to be: `device`, whether it is a GPU emulated in `software`, and the `reason`, a sentence for people. */
export type DeviceChoice = Readonly<ChosenDevice>;

export const DEVICES = oneOf("auto", "gpu", "cpu");

/**
 * Which device would be taken, before a model is loaded. `auto` takes WebGPU on a real adapter, else the CPU: an adapter
 * emulated in software is slower than WebAssembly on the same processor. `gpu` takes any adapter and fails with `no-device`
 * where there is none. Loads the engine, which decides, and which the first model takes as it is.
 */
export async function chooseDevice(
  preference: DevicePreference = "auto",
  gpu: AdapterSource | undefined = globalThis.navigator?.gpu,
): Promise<DeviceChoice> {
  const [isGood, wanted] = DEVICES;
  if (!isGood(preference)) throw new ReidError("bad-input", `A device must be ${wanted}, not ${String(preference)}.`);
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
