// TensorFlow.js with the same network, in a worker of its own. It is fetched here, when it is asked for, and never by the page.
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plainWasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdWasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threadedWasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import "@tensorflow/tfjs-backend-webgpu";
import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import type { Setting } from "../plan.ts";
import { answering } from "../worker-calls.ts";
import { SIDE } from "./plan.ts";

export interface PeerDetectCalls {
  /** `network`: the address of its model.json. */
  open: { request: { setting: Setting; network: string }; reply: undefined };
  /** From the tensor, which is ready, to all outputs read back. */
  run: { request: object; reply: { ms: number } };
}

let loaded: { readonly model: GraphModel; readonly input: tf.Tensor } | undefined;

answering<PeerDetectCalls>({
  async open({ setting, network }) {
    setWasmPaths({
      "tfjs-backend-wasm.wasm": plainWasm,
      "tfjs-backend-wasm-simd.wasm": simdWasm,
      "tfjs-backend-wasm-threaded-simd.wasm": threadedWasm,
    });
    // Its threads are started from text, which the page's policy forbids: there are as many of these workers instead.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    const backend = setting.device === "cpu" ? "wasm" : "webgpu";
    if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend "${backend}" here.`);
    await tf.ready();
    const model = await loadGraphModel(network);
    loaded = { model, input: tf.randomUniform([1, 3, SIDE, SIDE], -2, 2, "float32", 1) };
    return undefined;
  },
  async run() {
    if (!loaded) throw new Error("The worker was asked to look before it had a network.");
    const start = performance.now();
    const outputs = [loaded.model.execute(loaded.input)].flat();
    await Promise.all(outputs.map((output) => output.data()));
    const ms = performance.now() - start;
    tf.dispose(outputs);
    return { ms };
  },
});
