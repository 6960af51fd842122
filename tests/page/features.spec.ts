// Real checkpoints give PyTorch's features in a browser: on the CPU, and on WebGPU in the browser that has it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sharedFiles } from "./support/files.ts";
import { expect, test } from "./support/package.ts";
import { metadata, tensor } from "./support/safetensors.ts";

interface Model {
  readonly name: string;
  /** Under the shared weights: one file, or an OpenVINO model's two. */
  readonly files: readonly string[];
  readonly reference: string;
  /** Of the largest value; rounding stays an order below. */
  readonly tolerance: number;
  /** Of a forward pass on a GPU. */
  readonly dispatches: number;
}

const osnet = (file: string): Model => ({
  name: file,
  files: [file],
  reference: file.replace(/\.\w+$/, ""),
  tolerance: 1e-4,
  // A dispatch for each step of OSNet without a BN neck.
  dispatches: 97,
});
const retail = (number: string): Model => {
  const name = `person-reidentification-retail-${number}`;
  // OpenVINO computes with other roundings than we do.
  return {
    name,
    files: [`${name}/${name}.xml`, `${name}/${name}.bin`],
    reference: `retail_${number}`,
    tolerance: 1e-3,
    dispatches: 139,
  };
};
const MODELS = [
  osnet("osnet_x0_25_market1501.pth"),
  osnet("osnet_x0_25_msmt17_combineall.safetensors"),
  retail("0287"),
  retail("0288"),
];

/** The names of the images and one tensor of the reference file, row by row. */
function reference(path: string, name: string, rows: number): { images: string[]; expected: number[][] } {
  const images = (metadata(path).images ?? "").split(",").slice(0, rows);
  return { images, expected: tensor(path, name).slice(0, rows) };
}

const normalised = (row: readonly number[]) => {
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
};

for (const { name, files, reference: row, tolerance, dispatches } of MODELS) {
  test(`${name} gives the reference features`, async ({ page }, { project }) => {
    const weights = sharedFiles(...files.map((file) => `weights/${file}`));
    const others = sharedFiles("weights/reference_features.safetensors", "data/pku-reid");
    test.skip(!weights || !others, "needs ../shared");
    const [features, folder] = others as [string, string];
    const device = project.name === "webgpu" ? "gpu" : "cpu";
    const { images, expected } = reference(features, row, 8);
    const base64 = (path: string) => readFileSync(path).toString("base64");
    const found = await page.evaluate(
      async ({ weights, photos, device }) => {
        const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const [first, bin] = weights.map((file) => new Blob([bytes(file)]));
        if (!first) throw new Error("no weights");
        const reid = await webreid.ReIdentifier.create({ weights: bin ? { xml: first, bin } : first, device });
        const rows = await reid.extract(photos.map((photo) => new Blob([bytes(photo)])));
        const { device: used, precision } = reid.describe();
        const counters = await reid.gpuCounters();
        await reid.dispose();
        return { used, precision, counters, rows: rows.map((row) => Array.from(row)) };
      },
      {
        weights: (weights ?? []).map(base64),
        photos: images.map((name) => base64(join(folder, name))),
        device,
      } as const,
    );
    expect(found.used).toBe(device);
    // An emulated GPU has no f16, or gains nothing by it.
    expect(found.precision).toBe("f32");
    // Of the last batch of several. The CPU asks nothing of a GPU.
    expect(found.counters).toEqual(
      device === "gpu"
        ? { dispatches, submits: 1, pipelines: expect.any(Number), bytes: expect.any(Number) }
        : undefined,
    );
    if (found.counters) expect(Math.min(found.counters.pipelines, found.counters.bytes)).toBeGreaterThan(0);
    expect(found.rows.length).toBe(expected.length);
    let worst = 0;
    found.rows.forEach((row, i) => {
      const target = normalised(expected[i] ?? []);
      const largest = Math.max(...target.map(Math.abs));
      expect(row.length).toBe(target.length);
      row.forEach((value, j) => {
        const error = Math.abs(value - (target[j] ?? Number.NaN)) / largest;
        worst = Math.max(worst, error);
      });
    });
    process.stderr.write(`${name} on ${device}: ${worst.toExponential(1)} of the largest value\n`);
    expect(worst).toBeLessThanOrEqual(tolerance);
  });
}
