export { chooseDevice, type DeviceChoice, type DevicePreference } from "./device.js";
export type { FineTuneDepth, GpuCounters } from "./engine.js";
export { type ImagePosition, ReidError, type ReidErrorCode } from "./errors.js";
export type { Feature } from "./feature.js";
export type { FineTuneEstimate, FineTuneOptions, FineTuneSample, FineTuneStep } from "./fine-tune.js";
export { checkImageSize, type ImageSource } from "./image.js";
export type { OnProgress, Progress } from "./progress.js";
export { type CreateOptions, type ExtractOptions, type ModelDescription, ReIdentifier } from "./reidentifier.js";
export type { InputOptions, ModelFile, OpenVinoModel, UntrainedNetwork, WeightsSource } from "./weights.js";
