export type { AdaptOptions } from "./adapt.js";
export { type AssetFile, type ConfigureOptions, configure } from "./assets.js";
export {
  type DetectedPerson,
  type DetectOptions,
  type DetectorOptions,
  PersonDetector,
} from "./detector.js";
export { chooseDevice, type DeviceChoice, type DevicePreference } from "./device.js";
export type { DetectorDescription, Filter, FineTuneDepth, Fit, GpuCounters, InputOptions, Pixels } from "./engine.js";
export { type ConflictSide, type ImagePosition, ReidError, type ReidErrorCode } from "./errors.js";
export { type EvaluateOptions, evaluate, type PhotoLabel } from "./evaluate.js";
export type { Feature, FeatureData, QualityFlag } from "./feature.js";
export {
  FeatureIndex,
  type FeatureIndexOptions,
  type IndexSearchOptions,
} from "./feature-index.js";
export type { IndexPrecision } from "./feature-index-protocol.js";
export type { FineTuneEstimate, FineTuneOptions, FineTuneSample, FineTuneStep } from "./fine-tune.js";
export {
  type ActOptions,
  type AddOptions,
  Gallery,
  type GalleryOptions,
  type GalleryUsage,
  type GroupsOptions,
  type SearchOptions,
  type SuggestOptions,
} from "./gallery.js";
export type { ExtractionOptions } from "./gallery-extract.js";
export type {
  Answer,
  CameraMeans,
  GalleryActName,
  GalleryGroups,
  GalleryHit,
  GalleryLoss,
  GalleryPeople,
  GalleryPerson,
  GalleryPhoto,
  GalleryPlace,
  GalleryPrecision,
  GalleryQuestion,
  Judgement,
  PersonBox,
  PersonId,
  PhotoId,
  Verdict,
} from "./gallery-protocol.js";
export type { Extracted, GetImage } from "./gallery-reextract.js";
export type { GallerySample, PersonRef, PhotoDetails, PhotoRef } from "./gallery-sample.js";
export type { GroupingOptions } from "./grouping.js";
export { checkImageSize, type ImageSource } from "./image.js";
export type { CameraScores, Evaluation, Interval, Verification } from "./people-protocol.js";
export { type PreloadName, type PreloadOptions, preload } from "./preload.js";
export type { OnProgress, Progress } from "./progress.js";
export { type Cameras, type RankAllOptions, type Rankings, rankAll } from "./rank-all.js";
export { type CreateOptions, type ExtractOptions, type ModelDescription, ReIdentifier } from "./reidentifier.js";
export { type FeatureLike, type Match, type RankOptions, rank, similarity } from "./similarity.js";
export type { KeptGallery } from "./storage.js";
export type {
  ModelFile,
  ModelSource,
  OpenVinoModel,
  TensorFlowModel,
  UntrainedNetwork,
  WeightsSource,
} from "./weights.js";
