// Learning in the browser, by the npm package: on a small set of real people, and with an engine that fails.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { Feature, FineTuneSample, ReidError } from "../../npm/dist/index.js";
import { sampleFolder } from "./support/files.ts";
import { expect, test } from "./support/package.ts";

interface Sample {
  readonly file: string;
  readonly person: string;
}

const list = JSON.parse(readFileSync(join(sampleFolder, "samples.json"), "utf8")) as Sample[];
/** Twenty photos of six people. */
const samples = list.map(({ file, person }) => ({ image: `./samples/${file}`, person }));
/** Two people with three photos each, for what need not be learnt well. */
const few = samples.filter(({ person }) => person === "p02" || person === "p03");

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function trainers(page: Page): number {
  return page.workers().filter((worker) => worker.url().endsWith("/trainer-worker.js")).length;
}

test("too little to learn from, or what makes no sense, is refused in a sentence", async ({ page }) => {
  const errors = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const image = new Blob();
    const of = (...people: (string | number)[]) => people.map((person) => ({ image, person }));
    const fail = (samples: FineTuneSample[], options: object = {}) =>
      reid
        .fineTune(samples, options)
        .next()
        .then(
          () => "",
          (error: ReidError) => `${error.name} ${error.code} ${error.message}`,
        );
    const results = [
      await fail([]),
      await fail(of("ann", "ann", "ann")),
      await fail(of("ann", "ann", "ben", "cem")),
      await fail(of("ann", "ann", 7, 7), { depth: "deep" }),
      await fail(of("ann", "ann", 7, 7), { steps: 0 }),
      await fail(of("ann", "ann", 7, 7), { learningRate: -1 }),
      await fail(of("ann", "ann", 7, 7), { seed: 0.5 }),
      await fail([{ image } as FineTuneSample]),
    ];
    await reid.dispose();
    return results;
  });
  const enough =
    "ReidError too-few-samples Learning to tell people apart takes at least two people with two images each.";
  expect(errors).toEqual([
    `${enough} There are 0 people here, 0 of them with two images or more.`,
    `${enough} There is 1 person here, 1 of them with two images or more.`,
    `${enough} There are 3 people here, 1 of them with two images or more.`,
    'ReidError bad-input `options.depth` must be "quick", "deeper" or "full", not deep.',
    "ReidError bad-input `options.steps` must be a whole number of at least 1, not 0.",
    "ReidError bad-input `options.learningRate` must be a number above 0, not -1.",
    "ReidError bad-input `options.seed` must be a whole number from 0 to 2³² − 1, not 0.5.",
    "ReidError bad-input Sample 1 does not say which `person` it shows, by a name or a number.",
  ]);
});

test("a bad image is named, and the model stays as it was", async ({ page }) => {
  const seen = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const run = (image: string | Blob) =>
      reid
        .fineTune([...few, { image, person: "p02" }])
        .next()
        .then(
          () => undefined,
          ({ code, message, image }: ReidError) => ({ code, message, image }),
        );
    const results = [await run("./samples/missing.jpg"), await run(new File(["text"], "notes.png"))];
    await reid.dispose();
    return results;
  }, few);
  expect(seen).toEqual([
    {
      code: "http",
      message: expect.stringMatching(/^missing\.jpg: .*HTTP status 404/),
      image: { index: few.length, name: "missing.jpg" },
    },
    {
      code: "bad-image",
      message: expect.stringMatching(/^notes\.png: this is/),
      image: { index: few.length, name: "notes.png" },
    },
  ]);
});

test("every step tells where it is, the loss falls, and the features are others; undo brings back the old ones exactly", async ({
  page,
}) => {
  const seen = await page.evaluate(async (samples) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const images = samples.map(({ image }) => image);
    const features = async () => (await reid.extract(images)).map((feature) => Array.from(feature));
    const before = await features();
    const steps = [];
    const progress: string[] = [];
    for await (const step of reid.fineTune(samples, {
      steps: 60,
      onProgress: (progress_) => {
        if ("done" in progress_) progress.push(`${progress_.phase} ${progress_.done}/${progress_.total}`);
      },
    })) {
      steps.push(step);
    }
    const after = await features();
    const undone = [await reid.undo(), await reid.undo()];
    const again = await features();
    await reid.dispose();
    return { before, steps, progress, after, undone, again };
  }, samples);
  expect(seen.steps.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  for (const step of seen.steps) {
    expect(step.steps).toBe(60);
    expect(step.loss).toBeGreaterThan(0);
    expect(step.accuracy).toBeGreaterThanOrEqual(0);
    expect(step.accuracy).toBeLessThanOrEqual(1);
    expect(step.imagesPerSecond).toBeGreaterThan(0);
    expect(step.secondsLeft).toBeGreaterThanOrEqual(0);
  }
  expect(seen.steps.at(-1)?.secondsLeft).toBe(0);
  expect(seen.progress).toContain("samples 20/20");
  expect(seen.progress.at(-1)).toBe("train 60/60");

  const losses = seen.steps.map(({ loss }) => loss);
  expect(mean(losses.slice(-10))).toBeLessThan(0.9 * mean(losses.slice(0, 10)));
  expect(seen.after).not.toEqual(seen.before);
  expect(seen.undone).toEqual([true, false]);
  expect(seen.again).toEqual(seen.before);
});

test("the same samples and seed teach the same", async ({ page }) => {
  const seen = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const losses = async (seed: number) => {
      const losses: number[] = [];
      for await (const { loss } of reid.fineTune(few, { steps: 5, seed })) losses.push(loss);
      await reid.undo();
      return losses;
    };
    const results = [await losses(3), await losses(3), await losses(4)];
    await reid.dispose();
    return results;
  }, few);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).not.toEqual(seen[0]);
});

test("what was learnt goes into the exported file, and comes back from it", async ({ page }) => {
  const seen = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const images = few.map(({ image }) => image);
    for await (const _ of reid.fineTune(few, { depth: "full", steps: 3 }));
    const learnt = await reid.extract(images);
    const other = await webreid.ReIdentifier.create({ weights: await reid.exportWeights() });
    const loaded = await other.extract(images);
    const alike = learnt.map((feature, i) => reid.similarity(feature, loaded[i] as Feature));
    await Promise.all([reid.dispose(), other.dispose()]);
    return {
      alike,
      distances: learnt.map(({ values }, i) =>
        Math.max(...values.map((x, j) => Math.abs(x - (loaded[i]?.values[j] ?? 9)))),
      ),
    };
  }, few);
  for (const distance of seen.distances) expect(distance).toBeLessThan(1e-6);
  for (const alike of seen.alike) expect(alike).toBeCloseTo(1, 6);
});

test("not asking for a step is a pause, leaving the loop or aborting is a cancel: the model stays as it was", async ({
  page,
}) => {
  const seen = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const features = async () =>
      (await reid.extract(few.map(({ image }) => image))).map((feature) => Array.from(feature));
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => "",
        (error: ReidError) => error.code,
      );
    const before = await features();

    const paused = reid.fineTune(few, { steps: 50 });
    await paused.next();
    await paused.next();
    const second = await codeOf(reid.fineTune(few).next());
    const meanwhile = await features();
    const third = (await paused.next()).value?.step;
    await paused.return();
    const left = await features();

    const abort = new AbortController();
    const loop = reid.fineTune(few, { steps: 50, signal: abort.signal });
    await loop.next();
    const pending = codeOf(loop.next());
    abort.abort();
    const aborted = await pending;

    // Aborted while it is paused, it does not stand in the way of the next.
    const again = new AbortController();
    const idle = reid.fineTune(few, { steps: 50, signal: again.signal });
    await idle.next();
    again.abort();
    for await (const _ of reid.fineTune(few, { steps: 1 })) break;
    const late = await codeOf(idle.next());
    const end = await features();
    const undone = await reid.undo();
    await reid.dispose();
    return { before, second, meanwhile, third, left, aborted, late, end, undone };
  }, few);
  expect(seen).toMatchObject({ second: "bad-input", third: 3, aborted: "aborted", late: "aborted", undone: false });
  for (const features of [seen.meanwhile, seen.left, seen.end]) expect(features).toEqual(seen.before);
});

test("while the model learns, features come in between and the page stays responsive", async ({ page }) => {
  const seen = await page.evaluate(async (samples) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    let learning = true;
    const gaps: number[] = [];
    const frames = (async () => {
      let last = performance.now();
      while (learning) {
        await new Promise(requestAnimationFrame);
        gaps.push(performance.now() - last);
        last = performance.now();
      }
    })();
    let extracted = 0;
    const extracting = (async () => {
      while (learning) {
        await reid.extract(["./samples/p01_1.jpg"]);
        if (learning) extracted++;
      }
    })();
    for await (const _ of reid.fineTune(samples, { depth: "full", steps: 20 }));
    learning = false;
    await Promise.all([frames, extracting]);
    await reid.dispose();
    return { extracted, frames: gaps.length, longest: Math.max(...gaps) };
  }, samples);
  expect(seen.extracted).toBeGreaterThan(10);
  expect(seen.frames).toBeGreaterThan(30);
  process.stderr.write(`longest gap between frames while learning: ${seen.longest.toFixed(0)} ms\n`);
  expect(seen.longest).toBeLessThan(1000);
});

test("two hundred steps take no more memory than twenty", async ({ page }) => {
  const seen = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const memory: number[] = [];
    for await (const { step } of reid.fineTune(few, { steps: 200 })) {
      if (step % 20 === 0) memory.push(await reid.memory());
    }
    await reid.dispose();
    return memory;
  }, few);
  process.stderr.write(`WebAssembly memory: ${seen.map((bytes) => (bytes / 1e6).toFixed(1)).join(", ")} MB\n`);
  expect(seen).toHaveLength(10);
  // WebAssembly's memory grows by pages of 64 kB, and never shrinks.
  expect((seen.at(-1) ?? 0) - (seen[0] ?? 0)).toBeLessThanOrEqual(1 << 20);
});

test("the trainer has a worker of its own that ends with the fine-tune, however that ends, and the memory comes back", async ({
  page,
}) => {
  const reid = await page.evaluateHandle(() => webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" }));
  const memory = () => reid.evaluate((reid) => reid.memory());
  const before = await memory();
  const ends = ["itself", "break", "abort", "failure"] as const;
  for (const end of ends) {
    const learning = reid.evaluate(
      async (reid, { few, end }) => {
        const abort = new AbortController();
        const steps = reid.fineTune(few, {
          steps: 3,
          depth: "full",
          signal: abort.signal,
          learningRate: end === "failure" ? 1e30 : undefined,
        });
        await steps.next();
        const memory = await reid.memory();
        if (end === "abort") abort.abort();
        if (end === "break") await steps.return();
        try {
          for await (const _ of steps);
          return { memory, code: "" };
        } catch (error) {
          return { memory, code: (error as ReidError).code };
        }
      },
      { few, end },
    );
    await expect.poll(() => trainers(page)).toBe(1);
    const { memory: during, code } = await learning;
    expect(code, end).toBe({ itself: "", break: "", abort: "aborted", failure: "bad-input" }[end]);
    expect(during - before).toBeGreaterThan(10e6);
    await expect.poll(() => trainers(page), end).toBe(0);
    // The engine has read the weights that were learnt, and keeps those before.
    expect((await memory()) - before, end).toBeLessThan(4e6);
  }
  await reid.evaluate((reid) => reid.dispose());
  await expect.poll(() => page.workers().length).toBe(0);
});

test("disposing of the model ends its trainer", async ({ page }) => {
  const code = await page.evaluate(async (few) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const steps = reid.fineTune(few, { depth: "full" });
    await steps.next();
    const pending = steps.next().then(
      () => "",
      (error: ReidError) => error.code,
    );
    await reid.dispose();
    return pending;
  }, few);
  expect(code).toBe("disposed");
  await expect.poll(() => page.workers().length).toBe(0);
});

test("an estimate for each depth comes before the first step, and follows what is measured", async ({ page }) => {
  const seen = await page.evaluate(async (samples) => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const usual = await reid.estimateFineTune(samples);
    const short = await reid.estimateFineTune(samples, { steps: 10 });
    const long = await reid.estimateFineTune(samples, { steps: 100 });
    const start = performance.now();
    for await (const _ of reid.fineTune(samples, { steps: 10 }));
    const took = (performance.now() - start) / 1000;
    const measured = (await reid.estimateFineTune(samples, { steps: 10 })).quick.seconds;
    await reid.dispose();
    return { usual, short, long, took, measured };
  }, samples);
  const { usual, short, long } = seen;
  expect(short.quick.steps).toBe(10);
  expect(usual.quick.steps).toBeGreaterThan(10);
  expect(short.quick.seconds).toBeGreaterThan(0);
  expect(short.deeper.seconds).toBeGreaterThan(short.quick.seconds);
  expect(short.full.seconds).toBeGreaterThan(short.deeper.seconds);
  expect(long.full.seconds / short.full.seconds).toBeGreaterThan(5);
  expect(long.full.seconds / short.full.seconds).toBeLessThan(10);
  process.stderr.write(
    `quick, 10 steps: estimated ${short.quick.seconds.toFixed(2)} s, measured ${seen.measured.toFixed(2)} s, took ${seen.took.toFixed(2)} s\n`,
  );
});

test.describe("with an engine that fails", () => {
  /** Fine-tunes on one-byte images, and says what the engine's model is before and after. */
  const learn = async (images: number[]) => {
    const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
    const blob = (byte: number) => new Blob([Uint8Array.of(byte)]);
    const model = async () => new Uint8Array(await (await reid.exportWeights()).arrayBuffer())[0];
    const extract = (byte: number) =>
      reid.extract([blob(byte)]).then(
        (features) => features.length,
        (error: ReidError) => error.code,
      );
    const models = [await model()];
    let steps = 0;
    let failure = "";
    try {
      const samples = images.map((byte, i) => ({ image: blob(byte), person: i % 2 }));
      for await (const _ of reid.fineTune(samples, { steps: 3 })) steps++;
    } catch (error) {
      failure = (error as ReidError).code;
    }
    models.push(await model());
    const extracted = await extract(255);
    models.push(await model());
    const undone = await reid.undo();
    models.push(await model());
    return { steps, failure, models, extracted, undone };
  };

  test("a crash while it learns ends that, and the model stays as it was", async ({ page, faulty }) => {
    faulty.faults = 1;
    const result = await page.evaluate(learn, [1, 2, 255, 4]);
    expect(result).toEqual({ steps: 1, failure: "internal", models: [0, 0, 0, 0], extracted: 1, undone: false });
    // It was the trainer's: the worker with the model goes on.
    expect(faulty.created).toBe(1);
    await expect.poll(() => trainers(page)).toBe(0);
  });

  test("a device that is lost while it learns, too", async ({ page, faulty }) => {
    faulty.faults = 1;
    faulty.throws = 1;
    const result = await page.evaluate(learn, [1, 2, 255, 4]);
    expect(result).toEqual({ steps: 1, failure: "device-lost", models: [0, 0, 0, 0], extracted: 1, undone: false });
  });

  test("a worker that is started after a crash has what was learnt, and undo the model before", async ({
    page,
    faulty,
  }) => {
    // The images to learn from are harmless; what comes after is not.
    faulty.faults = 1;
    const result = await page.evaluate(learn, [1, 2, 3, 4]);
    expect(result).toEqual({ steps: 3, failure: "", models: [0, 1, 1, 0], extracted: 1, undone: true });
    // One at the start, one after the crash, one with the weights before, which the second never had.
    expect(faulty.created).toBe(3);
  });

  test("without a crash, undo needs no new worker", async ({ page, faulty }) => {
    const result = await page.evaluate(learn, [1, 2, 3, 4]);
    expect(result).toEqual({ steps: 3, failure: "", models: [0, 1, 1, 0], extracted: 1, undone: true });
    expect(faulty.created).toBe(1);
  });
});
