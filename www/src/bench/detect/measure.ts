import { PersonDetector } from "webreid";
import { messageOf } from "../../errors.ts";
import { noiseImages } from "../noise.ts";
import type { Setting } from "../plan.ts";
import { Calls } from "../worker-calls.ts";
import type { PeerDetectCalls } from "./peer-detect-worker.ts";
import { PHOTO } from "./plan.ts";
import type { Detected, DetectionReport } from "./report.ts";

/** Each is timed that often, and that long if that is longer. */
const FEWEST = 5;
const ENOUGH_MS = 4000;

/** The network as its author gives it, beside the page: where the build had it. */
const NETWORK = new URL("./nanodet.json", location.href).href;

/** Photos are looked at on one setting after another, by the two in turns. */
export async function detectAll(
  settings: readonly Setting[],
  report: DetectionReport,
  signal: AbortSignal,
  onWork: (what: string, share: number) => void,
): Promise<void> {
  for (const [i, setting] of settings.entries()) {
    onWork(`Looking for people on ${setting.name}`, i / settings.length);
    try {
      const measured = await compare(setting, signal);
      report.rows.push({ on: setting.key, name: setting.name, outcome: "measured", ...measured });
    } catch (error) {
      if (signal.aborted) break;
      report.rows.push({ on: setting.key, name: setting.name, outcome: "failed", reason: messageOf(error) });
    }
  }
  report.state = signal.aborted ? "cancelled" : "done";
}

interface Compared {
  readonly webreid: Detected;
  readonly tfjs: Detected;
  readonly ratio: number;
}

async function compare(setting: Setting, signal: AbortSignal): Promise<Compared> {
  const photos = noiseImages(setting.threads, PHOTO.width, PHOTO.height);
  const { device, threads: workers } = setting;
  const detector = await PersonDetector.create({ device, workers, signal });
  const peers = photos.map(
    () =>
      new Calls<PeerDetectCalls>(
        new Worker(new URL("./peer-detect-worker.ts", import.meta.url), { type: "module", name: "tfjs" }),
        signal,
      ),
  );
  try {
    await Promise.all(peers.map((peer) => peer.call("open", { setting, network: NETWORK })));
    /** All of it: letterbox, network, boxes; a photo for each worker. */
    const ours = async () => {
      const start = performance.now();
      await detector.detect(photos, { tiles: "off", signal });
      return (performance.now() - start) / photos.length;
    };
    const theirs = async () => {
      const runs = await Promise.all(peers.map((peer) => peer.call("run", {})));
      return Math.max(...runs.map(({ ms }) => ms)) / photos.length;
    };
    const times = [
      { run: ours, first: await ours(), ms: [] as number[] },
      { run: theirs, first: await theirs(), ms: [] as number[] },
    ] as const;
    const isEnough = () =>
      times.every(({ ms }) => ms.length >= FEWEST && ms.reduce((sum, time) => sum + time, 0) >= ENOUGH_MS);
    for (let turn = 0; !isEnough(); turn++) {
      for (const one of turn % 2 === 0 ? times : times.toReversed()) one.ms.push(await one.run());
    }
    const [webreid, tfjs] = [detected(times[0]), detected(times[1])];
    return { webreid, tfjs, ratio: tfjs.ms / webreid.ms };
  } finally {
    for (const peer of peers) peer.end();
    await detector.dispose();
  }
}

function detected({ first, ms }: { readonly first: number; readonly ms: readonly number[] }): Detected {
  const sorted = ms.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  const median = quantile(0.5);
  return {
    photosPerSecond: 1000 / median,
    ms: median,
    quartiles: [quantile(0.25), quantile(0.75)],
    firstMs: first,
  };
}
