// What is measured: networks, batch sizes and settings, each with each.
import type { CreateOptions } from "webreid";

export interface Network {
  /** In addresses and in the JSON. */
  readonly key: string;
  readonly name: string;
  readonly weights: CreateOptions["weights"];
  /** Where it would not take images at ImageNet's mean and deviation, as onnxruntime-web is given them. */
  readonly input?: CreateOptions["input"];
  /** How long an image takes, roughly, OSNet x0.25 being 1: to guess from one network how long another takes. */
  readonly cost: number;
}

/** Weights do not change how long a network takes: those that do not come along have random ones. */
export const NETWORKS: readonly Network[] = [
  { key: "osnet_x0_25", name: "OSNet x0.25", weights: { untrained: "osnet_x0_25" }, cost: 1 },
  { key: "default", name: "The built-in model", weights: undefined, cost: 0.3 },
  { key: "reid_resnet50", name: "ResNet-50", weights: { untrained: "reid_resnet50" }, cost: 30 },
  { key: "vit_small", name: "ViT-S/16", weights: { untrained: "vit_small" }, input: { range: "imagenet" }, cost: 25 },
];

/** From this `cost` on a network is large. */
export const LARGE = 20;

export const BATCHES: readonly number[] = [1, 8, 32];

export interface Setting {
  readonly key: string;
  readonly name: string;
  readonly device: "gpu" | "cpu";
  /** Workers of webreid, threads of onnxruntime-web. */
  readonly threads: number;
}

export const SETTINGS: readonly Setting[] = [
  { key: "webgpu", name: "WebGPU", device: "gpu", threads: 1 },
  { key: "cpu1", name: "CPU, 1 worker or thread", device: "cpu", threads: 1 },
  { key: "cpu2", name: "CPU, 2 workers or threads", device: "cpu", threads: 2 },
];

export interface Plan {
  readonly networks: readonly Network[];
  readonly batches: readonly number[];
  readonly settings: readonly Setting[];
  /** Seconds that one combination may take: what would take longer is left out. */
  readonly budget: number;
}

export const DEFAULT_BUDGET = 60;

export interface Combination {
  readonly network: Network;
  readonly batch: number;
  readonly setting: Setting;
}

/** Small batches come first: they tell how long the large ones take. */
export function combinations({ settings, networks, batches }: Plan): Combination[] {
  const ascending = [...batches].sort((a, b) => a - b);
  return settings.flatMap((setting) =>
    networks.flatMap((network) => ascending.map((batch) => ({ network, batch, setting }))),
  );
}

/** What the page's address asks for; undefined is what it leaves open. */
export interface Asked {
  readonly networks: readonly string[] | undefined;
  readonly batch: readonly string[] | undefined;
  readonly on: readonly string[] | undefined;
  readonly budget: number;
  /** Begin at once. */
  readonly start: boolean;
  /** What it asks for and there is not. */
  readonly unknown: readonly string[];
}

export function asked(search: string): Asked {
  const parameters = new URLSearchParams(search);
  const list = (name: string) => parameters.get(name)?.split(",").filter(Boolean);
  const [networks, batch, on] = [list("networks"), list("batch"), list("on")];
  const known = new Set([...NETWORKS.map(({ key }) => key), ...BATCHES.map(String), ...SETTINGS.map(({ key }) => key)]);
  const budget = Number(parameters.get("budget"));
  return {
    networks,
    batch,
    on,
    budget: budget > 0 ? budget : DEFAULT_BUDGET,
    start: parameters.has("start") && !["search", "detect", "gpu"].some((section) => parameters.has(section)),
    unknown: [networks, batch, on].flatMap((keys) => (keys ?? []).filter((key) => !known.has(key))),
  };
}
