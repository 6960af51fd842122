// What a GPU is checked with.
import { NETWORKS, type Network } from "../plan.ts";

export interface CheckedNetwork extends Network {
  /** Billions of multiplications with an addition that its layers have for an image, as their shapes tell. */
  readonly gmac: number;
}

/** At 256×128, the built-in model at 192×96; ResNet-50's last stride is 1. */
const GMAC: Readonly<Record<string, number>> = { osnet_x0_25: 0.0823, default: 0.0589, reid_resnet50: 4.053 };

export const CHECKED: readonly CheckedNetwork[] = NETWORKS.flatMap((network) => {
  const gmac = GMAC[network.key];
  return gmac === undefined ? [] : [{ ...network, gmac }];
});

export const BATCHES: readonly number[] = [1, 8, 32, 128];

/** Images whose features are held against the CPU's. */
export const IMAGES = 5;

/** How far features may be from the CPU's, of the largest value: rounding, as the native check has it. */
export const ALLOWED = { f32: 2e-5, f16: 1e-2 } as const;

/** Seconds. */
const DEFAULT_BUDGET = 30;

export interface GpuPlan {
  readonly networks: readonly CheckedNetwork[];
  readonly batches: readonly number[];
  /** Seconds that one batch size of a network may take. */
  readonly budget: number;
}

export interface AskedGpu {
  /** Keys; undefined is what the address leaves open. */
  readonly networks: readonly string[] | undefined;
  readonly images: readonly string[] | undefined;
  readonly budget: number;
  readonly start: boolean;
  /** What the address asks for and there is not. */
  readonly unknown: readonly string[];
}

/** What the page's address asks for: `?gpu&start`, or `?gpu=osnet_x0_25,default&images=1,8&budget=10&start`. */
export function askedGpu(search: string): AskedGpu {
  const parameters = new URLSearchParams(search);
  const list = (name: string) => {
    const keys = parameters.get(name)?.split(",").filter(Boolean);
    return keys?.length ? keys : undefined;
  };
  const [networks, images] = [list("gpu"), list("images")];
  const known = new Set([...CHECKED.map(({ key }) => key), ...BATCHES.map(String)]);
  const budget = Number(parameters.get("budget"));
  return {
    networks,
    images,
    budget: budget > 0 ? budget : DEFAULT_BUDGET,
    start: parameters.has("gpu") && parameters.has("start"),
    unknown: [networks, images].flatMap((keys) => (keys ?? []).filter((key) => !known.has(key))),
  };
}
