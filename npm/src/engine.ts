// What crosses between JavaScript and the modules that look at images and that learn, as their Rust side declares it (src/web).
import type * as Inference from "./wasm/webreid.js";
import type * as Training from "./wasm/webreid_train.js";

export type {
  ChosenDevice,
  DevicePreference,
  DeviceRequest,
  Engine,
  EngineDescription,
  Extraction,
  Filter,
  FittedImage,
  GpuCounters,
  InputOptions,
  Pixels,
  SeenAdapter,
} from "./wasm/webreid.js";
export type { FineTuneDepth, Tuner, TunerOptions, TunerStep } from "./wasm/webreid_train.js";

export type InferenceGlue = typeof Inference;
export type TrainingGlue = typeof Training;
