// onnxruntime-web in a worker of its own: how many threads it has is settled when it starts, so each setting needs a fresh one.
// Its files are fetched here, when they are asked for, and never by the page.
import type * as Ort from "onnxruntime-web";
import asyncifyWasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import plainWasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import cpuScript from "onnxruntime-web/wasm?url";
import gpuScript from "onnxruntime-web/webgpu?url";
import { type GpuCounters, GpuTally } from "./gpu-tally.ts";
import { networkInput } from "./input.ts";

export interface PeerCalls {
  load: {
    request: {
      readonly model: Blob;
      readonly device: "gpu" | "cpu";
      readonly threads: number;
      readonly images: readonly ImageData[];
    };
    reply: Loaded;
  };
  run: { request: Record<never, never>; reply: PeerRun };
  gpuCounters: { request: Record<never, never>; reply: GpuCounters | undefined };
}

export interface Loaded {
  readonly version: string;
  readonly device: string;
  /** Addresses of its script and module. */
  readonly files: readonly string[];
}

export interface PeerRun {
  readonly ms: number;
  /** One after the other, as the network gives them. */
  readonly features: Float32Array;
}

export type PeerRequest = { [K in keyof PeerCalls]: { call: K } & PeerCalls[K]["request"] }[keyof PeerCalls];
export type PeerReply = { readonly value: PeerCalls[keyof PeerCalls]["reply"] } | { readonly error: string };

/** The smallest of its builds for each device. */
const BUILDS = {
  gpu: { script: gpuScript, wasm: asyncifyWasm, provider: "webgpu" },
  cpu: { script: cpuScript, wasm: plainWasm, provider: "wasm" },
} as const;

let tally: GpuTally | undefined;
let run: (() => Promise<PeerRun>) | undefined;

self.addEventListener("message", ({ data }: MessageEvent<PeerRequest>) => {
  const reply = (message: PeerReply) => self.postMessage(message);
  answer(data).then(
    (value) => reply({ value }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});

async function answer(request: PeerRequest): Promise<PeerCalls[keyof PeerCalls]["reply"]> {
  if (request.call === "load") return load(request);
  if (!run) throw new Error("The worker was asked to run before it had a model.");
  return request.call === "run" ? run() : tally?.count(run);
}

async function load({ model, device, threads, images }: PeerCalls["load"]["request"]): Promise<Loaded> {
  const { script, wasm, provider } = BUILDS[device];
  if (device === "gpu") tally = new GpuTally();
  const ort: typeof Ort = await import(/* @vite-ignore */ script);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { wasm };
  // As webreid asks for it: of two adapters both get the same.
  ort.env.webgpu.powerPreference = "high-performance";
  const bytes = new Uint8Array(await model.arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  // It takes fewer, with a warning only, where memory cannot be shared.
  if (ort.env.wasm.numThreads !== threads) throw new Error(`it has not ${threads} threads here`);
  const { values, shape } = networkInput(images);
  const [inputName = ""] = session.inputNames;
  const [outputName = ""] = session.outputNames;
  const input = { [inputName]: new ort.Tensor("float32", values, shape) };
  run = async () => {
    const start = performance.now();
    const output = await session.run(input);
    const features = await output[outputName]?.getData();
    const ms = performance.now() - start;
    if (!(features instanceof Float32Array)) throw new Error("The network gave no feature.");
    return { ms, features };
  };
  return {
    version: ort.env.versions.web ?? "",
    device: tally ? tally.adapter : "CPU",
    files: [script, wasm],
  };
}
