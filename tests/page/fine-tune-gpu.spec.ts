// The GPU learns what the CPU does: in a browser with WebGPU, both in one page.
import { expect, test } from "./support/package.ts";

const samples = ["p02_1", "p02_2", "p03_1", "p03_2"].map((name) => ({
  image: `./samples/${name}.jpg`,
  person: name.slice(0, 3),
}));

for (const [depth, steps] of [
  ["quick", 5],
  ["full", 2],
] as const) {
  test(`${depth}: the same losses, and features that are alike`, async ({ page }) => {
    const [gpu, cpu] = await page.evaluate(
      async ({ samples, depth, steps }) => {
        const learn = async (device: "gpu" | "cpu") => {
          const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", device });
          const losses: number[] = [];
          for await (const { loss } of reid.fineTune(samples, { depth, steps })) losses.push(loss);
          const features = await reid.extract(samples.map(({ image }) => image));
          const { device: used } = reid.describe();
          await reid.dispose();
          return { used, losses, features: features.map((feature) => Array.from(feature)) };
        };
        return [await learn("gpu"), await learn("cpu")] as const;
      },
      { samples, depth, steps },
    );
    expect([gpu.used, cpu.used]).toEqual(["gpu", "cpu"]);
    expect(gpu.losses).toHaveLength(steps);
    gpu.losses.forEach((loss, i) => {
      expect(Math.abs(loss / (cpu.losses[i] ?? Number.NaN) - 1)).toBeLessThan(1e-3);
    });
    gpu.features.forEach((feature, i) => {
      const cosine = feature.reduce((sum, value, j) => sum + value * (cpu.features[i]?.[j] ?? Number.NaN), 0);
      expect(cosine).toBeGreaterThan(0.999);
    });
  });
}
