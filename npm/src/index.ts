export { chooseDevice, type DeviceChoice, type DevicePreference } from "./device.js";
export { type ImagePosition, ReidError, type ReidErrorCode } from "./errors.js";
export type { Feature } from "./feature.js";
export { checkImageSize, type ImageSource } from "./image.js";
export type { OnProgress, Progress } from "./progress.js";
export { type CreateOptions, type ExtractOptions, type ModelDescription, ReIdentifier } from "./reidentifier.js";
export type { WeightsSource } from "./weights.js";
