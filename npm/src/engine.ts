// What crosses between JavaScript and the modules that look at images, that learn, and that read models of other programs, as
// their Rust side declares it (src/web).
import type * as Inference from "./wasm/webreid.js";

export type {
  ChosenDevice,
  Detection,
  Detector,
  DetectorDescription,
  DevicePreference,
  DeviceRequest,
  Engine,
  EngineDescription,
  Extraction,
  Filter,
  Fit,
  FittedImage,
  Frame,
  GpuCounters,
  Person,
  PersonBox,
  Photo,
  Pixels,
  SeenAdapter,
} from "./wasm/webreid.js";
export type { About, Converted, InputOptions } from "./wasm/webreid_formats.js";
export type { FineTuneDepth, Tuner, TunerOptions, TunerStep } from "./wasm/webreid_train.js";

export type InferenceGlue = typeof Inference;
