// In Node the package gives the features that it gives in a browser.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageFolder, sampleFolder } from "./support/files.ts";
import { expect, test } from "./support/package.ts";

const photos = readdirSync(sampleFolder).filter((name) => name.endsWith(".jpg"));

/** Runs a module in Node, with the package as `webreid`; what it exports as `result`. */
async function inNode<T>(body: string): Promise<T> {
  const script = `import * as webreid from ${JSON.stringify(join(packageFolder, "node.js"))};
const result = await (async () => { ${body} })();
process.stdout.write(JSON.stringify(result));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    cwd: sampleFolder,
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as T;
}

test("the sample photos have the features that they have in a browser", async ({ page }) => {
  const inBrowser = await page.evaluate(async (photos) => {
    const reid = await webreid.ReIdentifier.create({ device: "cpu" });
    const features = await reid.extract(photos.map((name) => `/samples/${name}`));
    return features.map((feature) => [...feature]);
  }, photos);
  const there = await inNode<number[][]>(
    `const reid = await webreid.ReIdentifier.create();
    return (await reid.extract(${JSON.stringify(photos)})).map((feature) => [...feature]);`,
  );
  expect(there).toHaveLength(photos.length);
  for (const [i, feature] of there.entries()) {
    expect(feature).toHaveLength(256);
    const apart = feature.map((value, at) => Math.abs(value - (inBrowser[i]?.[at] ?? Number.NaN)));
    expect(Math.max(...apart), photos[i]).toBeLessThan(1e-5);
  }
});

test("what Node cannot do is said, and what is there learns, ranks and finds people", async () => {
  const seen = await inNode<Record<string, string | number>>(`
    const { ReIdentifier, Gallery, PersonDetector, FeatureIndex } = webreid;
    const [a, b, c, d] = ${JSON.stringify(photos.slice(0, 4))};
    const told = (promise) => promise.then(() => "done", ({ name, code, message }) => name + " " + code + " " + message);
    const reid = await ReIdentifier.create();
    const steps = [];
    const samples = [a, b, c, d].map((image, i) => ({ image, person: i % 2 }));
    for await (const { step } of reid.fineTune(samples, { steps: 2 })) steps.push(step);
    const gallery = await Gallery.create({ reid });
    await gallery.add([a, b]);
    const detector = await PersonDetector.create({ with: reid });
    const [person] = await detector.detect(a);
    const index = await FeatureIndex.create(await reid.extract([await detector.crop(a, person.box), b]));
    return {
      missing: await told(reid.extract(["missing.jpg"])),
      gif: await told(reid.extract([Buffer.from("GIF89a\\u0001\\u0000\\u0001\\u0000\\u0000\\u0000\\u0000", "latin1")])),
      gpu: await told(ReIdentifier.create({ device: "gpu" })),
      kept: await told(Gallery.open("holiday", { reid })),
      steps: steps.length,
      photos: gallery.size,
      indexed: index.size,
    };`);
  expect(seen).toEqual({
    missing: expect.stringMatching(
      /^ReidError network missing\.jpg: .*missing\.jpg cannot be read: there is no such file/,
    ),
    gif: expect.stringMatching(/^ReidError bad-image image 1: the image cannot be decoded here: convert it/),
    gpu: expect.stringMatching(/^ReidError no-device .*this runtime has no WebGPU/),
    kept: expect.stringMatching(/^ReidError storage-failed There is no place to keep galleries here/),
    steps: 2,
    photos: 2,
    indexed: 2,
  });
});
