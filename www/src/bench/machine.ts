import { chooseDevice } from "webreid";

export interface Machine {
  readonly browser: string;
  readonly userAgent: string;
  /** The processor's threads, as far as the browser tells. */
  readonly cores: number;
  /** There is WebGPU; it may be emulated in software. */
  readonly webgpu: boolean;
  readonly softwareAdapter: boolean;
  /** One sentence: which adapter, or why there is none. */
  readonly graphics: string;
  /** Memory can be shared between workers, which threads in WebAssembly need. */
  readonly isolated: boolean;
}

export async function describeMachine(): Promise<Machine> {
  const gpu = await chooseDevice("gpu").catch(() => undefined);
  const { reason } = await chooseDevice("auto");
  return {
    browser: browserName(navigator.userAgent),
    userAgent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    webgpu: gpu !== undefined,
    softwareAdapter: gpu?.software ?? false,
    graphics: reason.replace(/^[CG]PU: /, ""),
    isolated: crossOriginIsolated,
  };
}

/** Some call themselves by each other's names too: the first that fits. */
const BROWSERS = [
  ["Edge", /Edg\/([\d.]+)/],
  ["Firefox", /Firefox\/([\d.]+)/],
  ["Chrome", /Chrome\/([\d.]+)/],
  ["Safari", /Version\/([\d.]+).* Safari/],
] as const;

function browserName(userAgent: string): string {
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version) return `${name} ${version}`;
  }
  return userAgent;
}
