// A feature knows its model, wherever it is kept, and one call never mixes two models.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Feature, FeatureLike, ReidError } from "../../npm/dist/index.js";
import { sampleFolder } from "./support/files.ts";
import { expect, test } from "./support/package.ts";
import { person } from "./support/png.ts";

/** Of tests/fixtures/tiny_osnet.safetensors, as tests/cli.rs has it from the native command. */
const TINY_OSNET = "ad980899b286df7984bc0fa75db62037";

const list = JSON.parse(readFileSync(join(sampleFolder, "samples.json"), "utf8")) as { file: string; person: string }[];
const samples = list.map(({ file, person }) => ({ image: `./samples/${file}`, person }));
/** Two people with three photos each, for what need not be learnt well. */
const few = samples.filter(({ person }) => person === "p02" || person === "p03");

const pictures = [
  person("ann.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 3),
  person("ben.png", { top: [40, 60, 190], legs: [90, 80, 60] }, 7),
].map(({ buffer }) => `data:image/png;base64,${buffer.toString("base64")}`);

test("a feature comes back whole from JSON, a clone, another thread and a database, and needs no model any more", async ({
  page,
}) => {
  const seen = await page.evaluate(async (pictures) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const { fingerprint, featureDim } = reid.describe();
    const features = await reid.extract(pictures);
    const [a, b] = features as [Feature, Feature];
    const expected = reid.similarity(a, b);
    await reid.dispose();

    const posted = (value: unknown) =>
      new Promise<unknown>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port2.onmessage = ({ data }) => resolve(data);
        port1.postMessage(value);
      });
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const stored = async (value: unknown) => {
      const opening = indexedDB.open("features");
      opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
      const store = () => opening.result.transaction("kept", "readwrite").objectStore("kept");
      await done(opening);
      await done(store().put(value, 1));
      return done(store().get(1));
    };
    const json = (value: unknown) => JSON.parse(JSON.stringify(value));
    const forms: Record<string, unknown> = {
      json: json(a),
      clone: structuredClone(a),
      posted: await posted(a),
      stored: await stored(a),
      "json of what was stored": json(await stored(a)),
      "clone of json": structuredClone(json(a)),
    };
    const kept = Object.entries(forms).map(([form, value]) => {
      const feature = value as Feature;
      return {
        form,
        quality: feature.quality === a.quality,
        fingerprint: feature.fingerprint,
        similarity: webreid.similarity(feature, b),
        rank: webreid.rank(b, [feature, b]),
      };
    });
    return { fingerprint, featureDim, quality: a.quality, values: [...a], length: a.length, expected, kept };
  }, pictures);

  expect(seen.fingerprint).toBe(TINY_OSNET);
  expect([seen.values.length, seen.length]).toEqual([seen.featureDim, seen.featureDim]);
  expect(seen.quality).toBeGreaterThan(0);
  expect(seen.quality).toBeLessThanOrEqual(1);
  expect(seen.expected).toBeLessThan(0.999);
  expect(seen.kept.map(({ form }) => form)).toHaveLength(6);
  for (const { form, ...kept } of seen.kept) {
    expect(kept, form).toEqual({
      quality: true,
      fingerprint: TINY_OSNET,
      // To the bit: what is kept is as good as what was extracted.
      similarity: seen.expected,
      rank: [
        { index: 1, similarity: expect.closeTo(1, 12) },
        { index: 0, similarity: seen.expected },
      ],
    });
  }
});

test("two models are not compared, though their features are of one length", async ({ page }) => {
  const seen = await page.evaluate(async (pictures) => {
    const { ReIdentifier, similarity, rank } = webreid;
    const create = (name: string) => ReIdentifier.create({ weights: { untrained: name }, workers: 1 });
    const [one, other] = [await create("osnet_x0_25"), await create("osnet_x0_5")];
    const again = await ReIdentifier.create({ weights: await one.exportWeights(), workers: 1 });
    const models = [one, other, again];
    const [a, b, c] = (await Promise.all(models.map((reid) => reid.extract(pictures.slice(0, 1))))).flat() as [
      Feature,
      Feature,
      Feature,
    ];
    const fail = (call: () => unknown) => {
      try {
        return String(call());
      } catch (error) {
        const { name, code, message } = error as ReidError;
        return `${name} ${code} ${message}`;
      }
    };
    const result = {
      lengths: [a.length, b.length],
      fingerprints: [a, b, c].map(({ fingerprint }) => fingerprint),
      described: models.map((reid) => reid.describe().fingerprint),
      errors: [
        fail(() => similarity(a, b)),
        fail(() => one.similarity(b, a)),
        fail(() => rank(a, [c, b])),
        fail(() => similarity(JSON.parse(JSON.stringify(a)), structuredClone(b))),
      ],
      same: similarity(a, c),
    };
    await Promise.all(models.map((reid) => reid.dispose()));
    return result;
  }, pictures);
  const [a, b] = seen.fingerprints;
  expect(seen.lengths).toEqual([512, 512]);
  expect(a).toMatch(/^[0-9a-f]{32}$/);
  expect(b).not.toBe(a);
  expect(seen.fingerprints).toEqual([a, b, a]);
  expect(seen.described).toEqual(seen.fingerprints);
  for (const error of seen.errors) {
    expect(error).toMatch(/^ReidError other-model The features are of two models .*: extract both with one model\.$/);
  }
  expect(seen.errors[0]).toContain(`(${a} and ${b})`);
  expect(seen.same).toBeCloseTo(1, 12);
});

test("similarity is the cosine, rank sorts by it, and what is no feature is refused", async ({ page }) => {
  const seen = await page.evaluate(() => {
    const { similarity, rank } = webreid;
    const of = (...values: number[]) => new Float32Array(values);
    const feature = (values: unknown, fingerprint: unknown = "m") =>
      ({ values, quality: 1, fingerprint }) as FeatureLike;
    const code = (call: () => unknown) => {
      try {
        return JSON.stringify(call());
      } catch (error) {
        const { code, message } = error as ReidError;
        return `${code} ${message}`;
      }
    };
    const good = feature([1, 0]);
    const no = (value: unknown) => code(() => similarity(good, value as FeatureLike));
    return {
      cosines: [
        similarity(of(3, 4), of(3, 4)),
        similarity(of(1, 0), of(0, 5)),
        similarity(of(1, 2), [-2, -4]),
        similarity(of(0, 0), of(1, 0)),
        similarity(good, of(0.5, 0)),
        similarity(good, feature({ 0: 0.6, 1: 0.8 })),
      ],
      ranked: rank(good, [feature([0, 1]), null, feature([2, 0]), feature([-1, 0]), feature([0, 9])]),
      top: rank(good, [feature([0, 1]), feature([2, 0])], { top: 1 }),
      none: rank(good, []),
      refused: {
        length: no([1]),
        nan: no(of(1, Number.NaN)),
        infinite: no(feature([1, Number.POSITIVE_INFINITY])),
        // What JSON makes of NaN.
        null: no(feature([1, null])),
        text: no(feature(["1", "0"])),
        empty: no([]),
        keys: no(feature({ x: 1, y: 0 })),
        nothing: no(undefined),
        number: no(7),
        unsigned: no({ values: [1, 0], quality: 1 }),
        gallery: code(() => rank(good, good as unknown as FeatureLike[])),
        inGallery: code(() => rank(good, [good, of(1, Number.NaN)])),
        query: code(() => rank([], [good])),
        top: code(() => rank(good, [good], { top: 0 })),
        otherModel: code(() => rank(good, [good, feature([1, 0], "n")])),
      },
    };
  });
  expect(seen.cosines).toEqual([1, 0, -1, 0, 1, 0.6]);
  expect(seen.ranked).toEqual([
    { index: 2, similarity: 1 },
    { index: 0, similarity: 0 },
    { index: 4, similarity: 0 },
    { index: 3, similarity: -1 },
  ]);
  expect(seen.top).toEqual([{ index: 1, similarity: 1 }]);
  expect(seen.none).toEqual([]);
  const none = "bad-input The second feature is none: it must be what `extract` gave";
  expect(seen.refused).toEqual({
    length: "bad-input Features of 2 and 1 numbers cannot be compared: they are of different models.",
    nan: "bad-input The second feature is damaged: its value 2 is NaN, which is no number.",
    infinite: "bad-input The second feature is damaged: its value 2 is Infinity, which is no number.",
    null: "bad-input The second feature is damaged: its value 2 is null, which is no number.",
    text: "bad-input The second feature is damaged: its value 1 is 1, which is no number.",
    empty: "bad-input The second feature is empty.",
    keys: expect.stringContaining(none),
    nothing: expect.stringContaining(none),
    number: expect.stringContaining(none),
    unsigned: expect.stringContaining(none),
    gallery: "bad-input The gallery must be an array of features.",
    inGallery: "bad-input Feature 2 of the gallery is damaged: its value 2 is NaN, which is no number.",
    query: "bad-input The query is empty.",
    top: "bad-input `options.top` must be a whole number of at least 1, not 0.",
    otherModel: expect.stringMatching(/^other-model The features are of two models \(m and n\)/),
  });
  // No model, no worker.
  expect(page.workers()).toHaveLength(0);
});

test("a fine-tune that ends, and one that is undone, in the middle of a long extract: its features are of one model", async ({
  page,
}) => {
  const seen = await page.evaluate(
    async ({ few, images }) => {
      const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 3 });
      const blobs = await Promise.all(images.map(async (image) => (await fetch(image)).blob()));
      const many = Array.from({ length: 24 }, () => blobs).flat();
      const alike = async (features: Feature[]) => {
        const fresh = await reid.extract(many);
        return Math.min(...features.map((feature, i) => webreid.similarity(feature, fresh[i] as Feature)));
      };
      /** Extracts, changes the model as soon as a part is done, and tells of which models features came. */
      const extractDuring = async (change: () => Promise<unknown>) => {
        let changing: Promise<unknown> | undefined;
        const came: string[] = [];
        const features = await reid.extract(many, {
          onProgress: (progress) => {
            if (progress.phase === "extract" && progress.done > 0) changing ??= change();
          },
          onFeature: ({ fingerprint }) => {
            if (came.at(-1) !== fingerprint) came.push(fingerprint);
          },
        });
        await changing;
        const models = [...new Set(features.map(({ fingerprint }) => fingerprint))];
        return { count: features.length, came, models, now: reid.describe().fingerprint, alike: await alike(features) };
      };
      const before = reid.describe().fingerprint;
      const tuning = reid.fineTune(few, { steps: 2 });
      await tuning.next();
      await tuning.next();
      const applied = await extractDuring(() => tuning.next());
      const undone = await extractDuring(() => reid.undo());
      const exported = await reid.exportWeights();
      const again = await webreid.ReIdentifier.create({ weights: exported });
      const saved = again.describe().fingerprint;
      await Promise.all([reid.dispose(), again.dispose()]);
      return { before, applied, undone, saved, total: many.length };
    },
    { few, images: samples.map(({ image }) => image) },
  );
  const tuned = seen.applied.now;
  expect(seen.before).toBe(TINY_OSNET);
  expect(tuned).not.toBe(seen.before);
  expect(seen.applied).toMatchObject({ count: seen.total, came: [seen.before, tuned], models: [tuned] });
  expect(seen.undone).toMatchObject({ count: seen.total, came: [tuned, seen.before], models: [seen.before] });
  expect(seen.undone.now).toBe(seen.before);
  expect(seen.saved).toBe(seen.before);
  expect(seen.applied.alike).toBeCloseTo(1, 6);
  expect(seen.undone.alike).toBeCloseTo(1, 6);
});

test("a worker that is started after a crash has the same model", async ({ page }) => {
  const seen = await page.evaluate(async (pictures) => {
    const workers: Worker[] = [];
    const { Worker: Original } = globalThis;
    globalThis.Worker = class extends Original {
      constructor(...options: ConstructorParameters<typeof Original>) {
        super(...options);
        workers.push(this);
      }
    };
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
    const before = await reid.extract(pictures);
    workers[0]?.dispatchEvent(new ErrorEvent("error", { message: "a crash" }));
    const after = await reid.extract(pictures);
    const { fingerprint } = reid.describe();
    await reid.dispose();
    const alike = before.map((feature, i) => webreid.similarity(feature, after[i] as Feature));
    return { workers: workers.length, fingerprint, alike };
  }, pictures);
  // The model's, the one that read its file, and the one after the crash.
  expect(seen.workers).toBe(3);
  expect(seen.fingerprint).toBe(TINY_OSNET);
  for (const alike of seen.alike) expect(alike).toBeCloseTo(1, 12);
});

test.describe("with an engine that fails", () => {
  test("a change of the model starts an extract again, and bad images are told once", async ({ page, faulty }) => {
    const seen = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      const blob = (byte: number) => new Blob([Uint8Array.of(byte)]);
      const tuning = reid.fineTune(
        [1, 2, 3, 4].map((byte, i) => ({ image: blob(byte), person: i % 2 })),
        { steps: 1 },
      );
      await tuning.next();
      let changing: Promise<unknown> | undefined;
      const done: number[] = [];
      const told: (number | undefined)[] = [];
      const features = await reid.extract(
        Array.from({ length: 64 }, (_, i) => blob(i === 3 ? 0 : 1 + (i % 9))),
        {
          onError: "skip",
          onImageError: ({ image }) => told.push(image?.index),
          onProgress: (progress) => {
            if (progress.phase === "extract") done.push(progress.done);
            if (done.at(-1) === 16) changing ??= tuning.next();
          },
        },
      );
      await changing;
      return { models: features.map((feature) => feature?.fingerprint), done, told };
    });
    const models = Array.from({ length: 64 }, (_, i) => (i === 3 ? undefined : "model 1"));
    expect(seen.models).toEqual(models);
    expect(seen.told).toEqual([3]);
    // From the start again, to the end.
    expect(seen.done.lastIndexOf(0)).toBeGreaterThan(0);
    expect(seen.done.slice(seen.done.lastIndexOf(0))).toEqual([0, 8, 16, 24, 32, 40, 48, 56, 64]);
    expect(faulty.created).toBe(3);
  });

  test("an undo while a fine-tune ends undoes that, and all workers have one model", async ({ page, faulty }) => {
    const seen = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      const blob = (byte: number) => new Blob([Uint8Array.of(byte)]);
      const learn = () =>
        reid.fineTune(
          [1, 2, 3, 4].map((byte, i) => ({ image: blob(byte), person: i % 2 })),
          { steps: 1 },
        );
      for await (const _ of learn());
      const undoing: Promise<boolean>[] = [];
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message: { call: string }, ...options: unknown[]) {
        Reflect.apply(postMessage, this, [message, ...options]);
        if (message.call === "replace") undoing.push(reid.undo(), reid.undo());
      };
      for await (const _ of learn());
      const undone = await Promise.all(undoing);
      const many = Array.from({ length: 40 }, (_, i) => blob(1 + i));
      const features = await reid.extract(many);
      const models = [...new Set(features.map(({ fingerprint }) => fingerprint))];
      const exported = new Uint8Array(await (await reid.exportWeights()).arrayBuffer())[0];
      return { undone, models, described: reid.describe().fingerprint, exported };
    });
    expect(seen).toEqual({ undone: [true, false], models: ["model 1"], described: "model 1", exported: 1 });
    expect(faulty.created).toBe(2);
  });
});
