// What learns.
import { deviceRequest } from "./device-request.js";
import type { Tuner } from "./engine.js";
import { ReidError } from "./errors.js";
import { open, opening } from "./opening.js";
import type { Request } from "./protocol.js";
import type { Service } from "./serve.js";
import type { TimedStep, TrainerCalls } from "./trainer-protocol.js";
import * as glue from "./wasm/webreid_train.js";

export function trainerService(): Service<Request<TrainerCalls>> {
  let tuner: Tuner | undefined;
  let memory: WebAssembly.Memory | undefined;

  return { handle, opening };

  async function handle(request: Request<TrainerCalls>): Promise<TrainerCalls[keyof TrainerCalls]["reply"]> {
    switch (request.call) {
      case "start":
        return start(request);
      case "step":
        return step(started());
      case "finish":
        return new Blob([await started().exportWeights()], { type: "application/octet-stream" });
      case "memory":
        return memory?.buffer.byteLength ?? 0;
    }
  }

  async function start(request: Request<TrainerCalls> & { call: "start" }): Promise<undefined> {
    const { module, weights, device, unusable, images, people, cameras, options } = request;
    const wanted = await deviceRequest(device, unusable);
    ({ memory } = await glue.default({ module_or_path: module }));
    const model = new Uint8Array(await weights.arrayBuffer());
    tuner = await open(wanted, () => glue.Tuner.create(model, wanted, images, people, cameras, options));
  }

  async function step(tuner: Tuner): Promise<TimedStep | undefined> {
    const start = performance.now();
    const step = await tuner.step();
    return step && { ...step, seconds: (performance.now() - start) / 1000 };
  }

  function started(): Tuner {
    if (!tuner) throw new ReidError("internal", "The worker was asked to learn before it had anything to learn from.");
    return tuner;
  }
}
