// Real checkpoints give PyTorch's features in a browser: on the CPU, and on WebGPU in the browser that has it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sharedFiles } from "./support/files.ts";
import { expect, test } from "./support/package.ts";
import { metadata, tensor } from "./support/safetensors.ts";

/** Of the largest value; rounding stays two orders below. */
const TOLERANCE = 1e-4;

/** The names of the images and one tensor of the reference file, row by row. */
function reference(path: string, name: string, rows: number): { images: string[]; expected: number[][] } {
  const images = (metadata(path).images ?? "").split(",").slice(0, rows);
  return { images, expected: tensor(path, name).slice(0, rows) };
}

const normalised = (row: readonly number[]) => {
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
};

for (const checkpoint of ["osnet_x0_25_market1501.pth", "osnet_x0_25_msmt17_combineall.safetensors"]) {
  test(`${checkpoint} gives the reference features`, async ({ page }, { project }) => {
    const paths = sharedFiles(`weights/${checkpoint}`, "weights/reference_features.safetensors", "data/pku-reid");
    test.skip(paths === undefined, "needs ../shared");
    const [weights, features, folder] = paths as [string, string, string];
    const device = project.name === "webgpu" ? "gpu" : "cpu";
    const { images, expected } = reference(features, checkpoint.replace(/\.\w+$/, ""), 8);
    const base64 = (path: string) => readFileSync(path).toString("base64");
    const found = await page.evaluate(
      async ({ weights, photos, device }) => {
        const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const reid = await webreid.ReIdentifier.create({ weights: new Blob([bytes(weights)]), device });
        const rows = await reid.extract(photos.map((photo) => new Blob([bytes(photo)])));
        const { device: used, precision } = reid.describe();
        const counters = await reid.gpuCounters();
        await reid.dispose();
        return { used, precision, counters, rows: rows.map((row) => Array.from(row)) };
      },
      { weights: base64(weights), photos: images.map((name) => base64(join(folder, name))), device } as const,
    );
    expect(found.used).toBe(device);
    // An emulated GPU has no f16, or gains nothing by it.
    expect(found.precision).toBe("f32");
    // Of the last batch of several: a dispatch for each step of OSNet without a BN neck. The CPU asks nothing of a GPU.
    expect(found.counters).toEqual(
      device === "gpu"
        ? { dispatches: 97, submits: 1, pipelines: expect.any(Number), bytes: expect.any(Number) }
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
    process.stderr.write(`${checkpoint} on ${device}: ${worst.toExponential(1)} of the largest value\n`);
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  });
}
