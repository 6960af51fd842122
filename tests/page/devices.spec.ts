// Browsers whose GPU is there and fails: "auto" ends on the CPU and says why, "gpu" says what is wrong.
import type { Page } from "@playwright/test";
import type { ReidError } from "../../npm/dist/index.js";
import { countDevices, fullWhenTold, LIES, littleMemory, TRAINER_LIES, tell } from "./support/lying-gpu.ts";
import { expect, test } from "./support/package.ts";

const image = "./samples/p02_1.jpg";

/** What becomes of each device that can be asked for, side by side: some browsers take their time. */
function open(page: Page) {
  return page.evaluate(async (image) => {
    const weights = "./tiny_osnet.safetensors";
    const create = async (device: "auto" | "gpu" | "cpu") => {
      try {
        const reid = await webreid.ReIdentifier.create({ weights, device });
        const { device: used, deviceReason } = reid.describe();
        const [feature] = await reid.extract([image]);
        await reid.dispose();
        return { used, deviceReason, feature: [...(feature ?? [])] };
      } catch (error) {
        const { code, message } = error as ReidError;
        return { code, message };
      }
    };
    const [auto, gpu, cpu] = await Promise.all([create("auto"), create("gpu"), create("cpu")]);
    return { auto, gpu, cpu };
  }, image);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);
}

test("a GPU that keeps its word is used", async ({ page }) => {
  await tell(page);
  const { auto, gpu, cpu } = await open(page);
  expect(auto).toMatchObject({ used: "gpu", deviceReason: "GPU: WebGPU runs on nvidia ada." });
  expect(gpu).toMatchObject({ used: "gpu", deviceReason: "GPU: you chose it. WebGPU runs on nvidia ada." });
  for (const { feature } of [auto, gpu]) expect(cosine(feature ?? [], cpu.feature ?? [])).toBeGreaterThan(0.9999);
});

/** Of each kind one; the others take minutes, for software compiles every shader for them, and have a command of their own. */
const OF_EACH_KIND = new Set([
  "no adapter",
  "the second adapter is none",
  "asking for a device throws",
  "pipelines are refused",
  "results are a little wrong",
]);
const THOROUGH = { tag: "@thorough" };

for (const [name, lie] of Object.entries(LIES)) {
  const details = OF_EACH_KIND.has(name) ? {} : THOROUGH;
  test(`${name}: the CPU computes, or it is said why nothing does`, details, async ({ page }) => {
    await tell(page, lie);
    const { auto, gpu, cpu } = await open(page);
    expect(auto).toMatchObject({ used: "cpu", deviceReason: expect.stringMatching(/^CPU: [^(].{20,}\.$/) });
    expect(auto.feature).toEqual(cpu.feature);
    expect(gpu).toEqual({
      code: "no-device",
      message: expect.stringMatching(/^No GPU to compute on: .{20,}\. Choose the device "auto" or "cpu" instead\.$/),
    });
    for (const text of [auto.deviceReason, gpu.message]) expect(text).not.toMatch(/JsValue|undefined|\n|no GPU can/);
  });
}

const samples = ["p02_1", "p02_2", "p03_1", "p03_2"].map((name) => ({
  image: `./samples/${name}.jpg`,
  person: name.slice(0, 3),
}));

for (const [name, lie] of Object.entries(TRAINER_LIES)) {
  test(`${name}: the CPU learns what the GPU was to`, THOROUGH, async ({ page }) => {
    await tell(page, lie, ["trainer-worker.js"]);
    const seen = await page.evaluate(async (samples) => {
      const learn = async (device: "auto" | "cpu") => {
        const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", device });
        const { device: used } = reid.describe();
        const losses: number[] = [];
        for await (const { loss } of reid.fineTune(samples, { steps: 3, depth: "full" })) losses.push(loss);
        await reid.dispose();
        return { used, losses };
      };
      return { auto: await learn("auto"), cpu: await learn("cpu") };
    }, samples);
    expect(seen.auto).toEqual({ used: "gpu", losses: seen.cpu.losses });
    expect(seen.cpu.losses).toHaveLength(3);
  });
}

test("a batch that is too large for the GPU's memory goes through in parts", async ({ page }) => {
  await tell(page, littleMemory);
  const seen = await page.evaluate(async (samples) => {
    const images = [...samples, ...samples].map(({ image }) => image);
    const extract = async (device: "gpu" | "cpu") => {
      const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", device });
      const features = (await reid.extract(images)).map((feature) => [...feature]);
      const { device: used } = reid.describe();
      const counters = await reid.gpuCounters();
      await reid.dispose();
      return { used, features, submits: counters?.submits };
    };
    return { gpu: await extract("gpu"), cpu: await extract("cpu") };
  }, samples);
  expect(seen.gpu.used).toBe("gpu");
  expect(seen.gpu.submits).toBeGreaterThan(1);
  seen.gpu.features.forEach((feature, i) => {
    expect(cosine(feature, seen.cpu.features[i] ?? [])).toBeGreaterThan(0.9999);
  });
});

test("a worker has one device: of the model and of what finds people, and of all that the trainer does", async ({
  page,
}) => {
  await tell(page, countDevices);
  const seen = await page.evaluate(async (samples) => {
    let devices = 0;
    new BroadcastChannel("devices").onmessage = () => devices++;
    const told = () => new Promise((resolve) => setTimeout(resolve, 200)).then(() => devices);
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const detector = await webreid.PersonDetector.create({ with: reid, weights: "./red_detector.safetensors" });
    const used = [reid.describe().device, detector.describe().device];
    await detector.detect(samples[0]?.image ?? "");
    const shared = await told();
    for await (const _ of reid.fineTune(samples, { steps: 2, depth: "full" }));
    const trained = await told();
    await reid.dispose();
    return { used, shared, trained };
  }, samples);
  expect(seen).toEqual({ used: ["gpu", "gpu"], shared: 1, trained: 2 });
});

test("a GPU without memory fails the call with `out-of-memory`, and the fine-tune goes on", async ({ page }) => {
  await tell(page, fullWhenTold);
  const seen = await page.evaluate(async (samples) => {
    const memory = new BroadcastChannel("memory");
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", device: "gpu" });
    const images = samples.map(({ image }) => image);
    const extract = async (full: boolean) => {
      memory.postMessage(full);
      // A message of its own is behind the other when it is answered.
      await reid.memory();
      return reid.extract(images).then(
        (features) => features.length,
        (error: ReidError) => `${error.code} ${error.message}`,
      );
    };
    const steps: number[] = [];
    const extracted: unknown[] = [];
    for await (const { step } of reid.fineTune(samples, { steps: 3 })) {
      steps.push(step);
      extracted.push(await extract(step === 2));
      memory.postMessage(false);
    }
    extracted.push(await extract(false));
    await reid.dispose();
    return { steps, extracted };
  }, samples);
  expect(seen.steps).toEqual([1, 2, 3]);
  expect(seen.extracted).toEqual([4, expect.stringMatching(/^out-of-memory the GPU has no memory left/), 4, 4]);
});
