// The npm package by itself, without the page: what it promises to those who build on it.
import type * as Webreid from "../../npm/dist/index.js";
import type { Feature, ReidError } from "../../npm/dist/index.js";
import { tinyCheckpoint, tinyOpenVinoExpected } from "./support/files.ts";
import { expect, openPackage, test } from "./support/package.ts";
import { person } from "./support/png.ts";
import { tensor } from "./support/safetensors.ts";

test("with a preset that is none, an address where nothing is, a wrong device: errors that say what to pass", async ({
  page,
}) => {
  const errors = await page.evaluate(async () => {
    const { ReIdentifier } = webreid;
    const fail = (options: object) =>
      ReIdentifier.create(options as Parameters<typeof ReIdentifier.create>[0]).then(
        () => "",
        (error: ReidError) => `${error.name} ${error.code} ${error.status} ${error.message}`,
      );
    return Promise.all([
      fail({ weights: "osnet" }),
      fail({ weights: "/missing.pth" }),
      fail({ weights: "./tiny_osnet.safetensors", device: "tpu" }),
      fail({ weights: 7 }),
      fail({ input: { range: "255" } }),
      fail({ input: { colour: "rgb" } }),
      fail({ input: { fit: "letterbox:grey" } }),
      fail({ weights: "./tiny_osnet.safetensors", input: { height: 8 } }),
    ]);
  });
  expect(errors).toEqual([
    expect.stringMatching(
      /^ReidError unknown-preset undefined There is no preset called "osnet", only "webreid-small"\./,
    ),
    expect.stringMatching(/^ReidError http 404 https:\/\/package\.test\/missing\.pth answered with HTTP status 404/),
    expect.stringMatching(/^ReidError bad-input undefined `options\.device` must be "auto", "gpu" or "cpu", not tpu/),
    expect.stringMatching(/^ReidError bad-input undefined `weights` must be a URL/),
    expect.stringMatching(
      /^ReidError bad-input undefined `input\.range` must be "0-1", "0-255" or "imagenet", not 255/,
    ),
    expect.stringMatching(/^ReidError bad-input undefined `input` has no "colour"/),
    expect.stringMatching(
      /^ReidError bad-input undefined `input\.fit` must be "stretch", "letterbox" or "letterbox:#rrggbb", not letterbox:grey/,
    ),
    expect.stringMatching(/^ReidError bad-input undefined .*the input's height cannot be 8; 16 to 4096 pixels it can/),
  ]);
});

test("what is said of the input wins over the file, is told, and is kept in the weights", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const pixels = Uint8ClampedArray.from({ length: 4 * 64 * 32 }, (_, i) => Math.imul(i, 0x9e3779b9) >>> 24);
    const open = async (weights: string | Blob, input?: Webreid.InputOptions) => {
      const reid = await webreid.ReIdentifier.create({ weights, input, device: "cpu" });
      const [feature] = await reid.extract([new ImageData(pixels, 32, 64)]);
      return { reid, feature: feature as Webreid.Feature, description: reid.describe() };
    };
    const plain = await open("./tiny_osnet.safetensors");
    const said = await open("./tiny_osnet.safetensors", { order: "bgr", range: "0-1", height: 64, width: 32 });
    const again = await open(await said.reid.exportWeights());
    const { inputHeight, inputWidth, assumed, summary } = said.description;
    return {
      size: [inputHeight, inputWidth, again.description.inputHeight, again.description.inputWidth],
      assumed: [plain.description.assumed, assumed],
      summary,
      // Bare values: of two models features are not compared.
      other: webreid.similarity(plain.feature.values, said.feature.values) < 0.999,
      kept: said.reid.similarity(said.feature, again.feature) > 0.99999,
    };
  });
  expect(seen).toMatchObject({ size: [64, 32, 64, 32], other: true, kept: true });
  expect(seen.assumed).toEqual([
    [],
    ["The file's own input is RGB at ImageNet's mean and deviation; it is given BGR of 0 to 1, as was said."],
  ]);
  expect(seen.summary).toContain("As was said, its input is BGR of 0 to 1, 64×32.");
});

test("a network that takes pictures in a letterbox sees what stands in one", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const open = async (input: Webreid.InputOptions) =>
      webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors", input: { height: 64, width: 32, ...input } });
    const grey = (at: number) => [...Array(3).fill(Math.imul(at, 0x9e3779b9) >>> 24), 255];
    const square = Array.from({ length: 32 * 32 }, (_, at) => grey(at)).flat();
    const around = Array.from({ length: 16 * 32 }, () => [200, 100, 50, 255]).flat();
    const photo = new ImageData(Uint8ClampedArray.from(square), 32, 32);
    const padded = new ImageData(Uint8ClampedArray.from([...around, ...square, ...around]), 32, 64);
    const boxing = await open({ fit: "letterbox:#c86432" });
    const stretching = await open({});
    const [boxed, inOne] = await boxing.extract([photo, padded]);
    const [stretched, expected] = await stretching.extract([photo, padded]);
    // As a file, and as a bitmap in strips.
    const canvas = new OffscreenCanvas(32, 32);
    canvas.getContext("2d")?.putImageData(photo, 0, 0);
    const [file, bitmap] = await boxing.extract([await canvas.convertToBlob(), await createImageBitmap(photo)]);
    const values = [boxed, inOne, expected, file, bitmap, stretched].map((feature) => [...(feature?.values ?? [])]);
    const again = await webreid.ReIdentifier.create({ weights: await boxing.exportWeights() });
    return { values, fits: [stretching, boxing, again].map((reid) => reid.describe().fit) };
  });
  const [boxed, inOne, expected, file, bitmap, stretched] = seen.values;
  expect(expected?.length).toBeGreaterThan(1);
  for (const same of [boxed, inOne, file, bitmap]) expect(same).toEqual(expected);
  expect(stretched).not.toEqual(expected);
  expect(seen.fits).toEqual(["stretch", "letterbox:#c86432", "letterbox:#c86432"]);
});

test("without weights, and by its name, the model that comes with the package is loaded", async ({ page }) => {
  let asked = 0;
  await page.route("**/dist/webreid-small.safetensors", (route) => {
    asked++;
    return route.fulfill({ path: tinyCheckpoint });
  });
  const architectures = await page.evaluate(async () => {
    const named = await webreid.ReIdentifier.create({ weights: "webreid-small" });
    const unnamed = await webreid.ReIdentifier.create();
    const architectures = [named.describe().architecture, unnamed.describe().architecture];
    await Promise.all([named.dispose(), unnamed.dispose()]);
    return architectures;
  });
  expect(architectures).toEqual([expect.stringMatching(/OSNet/), architectures[0]]);
  expect(asked).toBe(2);
});

test("a model from a URL: progress in bytes, a description, weights to take away", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const progress: string[] = [];
    const reid = await webreid.ReIdentifier.create({
      weights: "./tiny_osnet.safetensors",
      onProgress: (step) => {
        if (step.phase !== "download") progress.push(step.phase);
        else if (step.loaded === step.total) progress.push(`${step.phase} ${step.what}`);
      },
    });
    const { architecture, device, deviceReason, featureDim } = reid.describe();
    const exported = await reid.exportWeights();
    await reid[Symbol.asyncDispose]();
    return { progress, architecture, device, deviceReason, featureDim, exported: exported.size };
  });
  // The weights and the engine at once, in whatever order they arrive.
  expect(seen.progress.toSorted()).toEqual(["download engine", "download formats", "download weights", "model"]);
  expect(seen.progress.at(-1)).toBe("model");
  expect(seen.architecture).toMatch(/OSNet/);
  expect(seen.device).toBe("cpu");
  expect(seen.deviceReason).toMatch(/^CPU: this browser has/);
  expect(seen.featureDim).toBeGreaterThan(0);
  expect(seen.exported).toBeGreaterThan(1000);
});

test("a model's licence is what its file says, and stays with what is made of it", async ({ page }) => {
  const pictures = [0, 1, 2, 3].map((i) =>
    person(`${i}.png`, { top: [190 - 90 * (i % 2), 40, 40], legs: [30, 30, 60] }, i).buffer.toString("base64"),
  );
  const seen = await page.evaluate(async (pictures) => {
    const { ReIdentifier } = webreid;
    const images = await Promise.all(
      pictures.map(async (base64) => (await fetch(`data:image/png;base64,${base64}`)).blob()),
    );
    const open = (weights?: Blob | string) => ReIdentifier.create({ weights, device: "cpu", workers: 1 });
    const tiny = await (await fetch("./tiny_osnet.safetensors")).blob();
    /** The file with that in its metadata. */
    const saying = async (metadata: object, file: Blob = tiny) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as { __metadata__?: object };
      const said = { ...header, __metadata__: { ...header.__metadata__, ...metadata } };
      const text = new TextEncoder().encode(JSON.stringify(said));
      const start = new Uint8Array(8);
      new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
      return new Blob([start, text, bytes.subarray(8 + length)]);
    };
    const licence = async (weights?: Blob | string) => (await open(weights)).describe().licence;
    const theirs = await open(await saying({ format: "pt", license: ' Apache-2.0 "as is" ' }));
    const [before] = await theirs.extract(images);
    const exported = await theirs.exportWeights();
    const again = await open(exported);
    const [after] = await again.extract(images);
    const samples = images.map((image, i) => ({ image, person: i % 2 }));
    for await (const _ of again.fineTune(samples, { steps: 1 }));
    const own = await (await open(tiny)).exportWeights();
    const ownSaying = await open(await saying({ license: "MIT" }, own));
    return {
      builtIn: await licence(),
      builtInExported: await licence(await (await open()).exportWeights()),
      none: [await licence("./tiny_osnet.safetensors"), await licence(await saying({ license: " " }))],
      others: [
        await licence(await saying({ licence: "MIT" })),
        await licence(await saying({ "modelspec.license": "CC-BY-4.0" })),
      ],
      long: (await licence(await saying({ license: "x".repeat(20_000) })))?.length,
      damaged: await Promise.all(
        ['{"__metadata__":{"webreid":"\\x"}}', '{"__metadata__":{"webreid":"\\', '{"__metadata__":{"webreid":[]}}'].map(
          (text) =>
            licence(new Blob([Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0), text])).catch((error) => error.code),
        ),
      ),
      own: [ownSaying.describe().licence, await licence(await ownSaying.exportWeights())],
      theirs: theirs.describe().licence,
      exported: again.describe().licence,
      learnt: await licence(await again.exportWeights()),
      same: before?.fingerprint === after?.fingerprint && webreid.similarity(before ?? [], after ?? []),
    };
  }, pictures);
  expect(seen).toEqual({
    builtIn: "LicenseRef-webreid-small",
    builtInExported: "LicenseRef-webreid-small",
    none: [undefined, undefined],
    others: ["MIT", "CC-BY-4.0"],
    long: 1002,
    damaged: ["bad-weights", "bad-weights", "bad-weights"],
    own: ["MIT", "MIT"],
    theirs: 'Apache-2.0 "as is"',
    exported: 'Apache-2.0 "as is"',
    learnt: 'Apache-2.0 "as is"',
    same: expect.closeTo(1, 6),
  });
});

test("the model as ONNX gives the same features", async ({ page }) => {
  const picture = person("ann.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 3).buffer.toString("base64");
  const seen = await page.evaluate(async (base64) => {
    const { ReIdentifier } = webreid;
    const image = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const first = await ReIdentifier.create({ weights: "./tiny_osnet.safetensors", workers: 1 });
    const again = await ReIdentifier.create({ weights: await first.exportOnnx() });
    const [[a], [b]] = [await first.extract([image]), await again.extract([image])];
    if (!a || !b) throw new Error("no features");
    const difference = Math.max(...a.values.map((value, i) => Math.abs(value - (b.values[i] ?? Number.NaN))));
    return { dialect: again.describe().dialect, difference, counters: await first.gpuCounters() };
  }, picture);
  expect(seen.dialect).toBe("ONNX");
  expect(seen.difference).toBeLessThan(1e-6);
  expect(seen.counters).toBeUndefined();
});

test("an OpenVINO model by its address, and by its two files, gives OpenVINO's features", async ({ page }) => {
  const [expected = []] = tensor(tinyOpenVinoExpected, "feature");
  const [rgb = []] = tensor(tinyOpenVinoExpected, "rgb");
  const found = await page.evaluate(async (rgb) => {
    const { ReIdentifier } = webreid;
    const [width, height] = [16, 32];
    const image = new ImageData(width, height);
    const area = width * height;
    for (let i = 0; i < area; i++) image.data.set([rgb[i], rgb[area + i], rgb[2 * area + i], 255] as number[], 4 * i);
    const blob = async (end: string) => (await fetch(`./small-reid.${end}`)).blob();
    const rows: number[][] = [];
    for (const weights of ["./small-reid.xml", { xml: await blob("xml"), bin: await blob("bin") }]) {
      const reid = await ReIdentifier.create({ weights });
      rows.push(...(await reid.extract([image])).map((row) => [...row]));
      const again = await ReIdentifier.create({ weights: await reid.exportWeights() });
      rows.push(...(await again.extract([image])).map((row) => [...row]));
      await Promise.all([reid.dispose(), again.dispose()]);
    }
    return rows;
  }, rgb);
  const length = Math.hypot(...expected);
  expect(found.length).toBe(4);
  for (const row of found) {
    expect(row.length).toBe(expected.length);
    for (const [i, value] of row.entries()) expect(value).toBeCloseTo((expected[i] ?? Number.NaN) / length, 5);
  }
  const alone = await page.evaluate(async () => {
    const weights = { xml: "./small-reid.xml", bin: "./none.bin" };
    return webreid.ReIdentifier.create({ weights }).then(() => "", String);
  });
  expect(alone).toMatch(/none\.bin answered with HTTP status 404/);
});

test("a TensorFlow.js model by its address, and by its files, is the model that it is", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { ReIdentifier } = webreid;
    const blob = async (name: string) => (await fetch(`./${name}`)).blob();
    const image = new ImageData(24, 40);
    for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : (i * 7) % 251;
    const rows: number[][] = [];
    const files = { json: await blob("reid.json"), bin: [await blob("reid.bin")] };
    for (const weights of ["./reid.json", files]) {
      const reid = await ReIdentifier.create({ weights });
      rows.push([...((await reid.extract([image]))[0] ?? [])]);
      await reid.dispose();
    }
    const { dialect } = await ReIdentifier.create({ weights: files }).then((reid) => reid.describe());
    return { rows, dialect };
  });
  expect(seen.dialect).toBe("TensorFlow.js");
  expect(seen.rows[0]?.length).toBeGreaterThan(1);
  expect(seen.rows[1]).toEqual(seen.rows[0]);
  expect(Math.hypot(...(seen.rows[0] ?? []))).toBeCloseTo(1, 5);
});

test("a wide picture is told to show more than one person, also by what was kept of its feature", async ({ page }) => {
  const flags = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const features = await reid.extract([new ImageData(200, 120), new ImageData(64, 128)]);
    await reid.dispose();
    return [features.map((feature) => feature.flags), JSON.parse(JSON.stringify(features[0])).flags];
  });
  expect(flags).toEqual([[["notOnePerson"], []], ["notOnePerson"]]);
});

test("a browser whose WebAssembly has no relaxed SIMD computes the same with a module without", async ({ page }) => {
  const extract = () =>
    page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: { untrained: "osnet_x0_25" } });
      const pixels = Uint8ClampedArray.from({ length: 4 * 64 * 32 }, (_, i) => (i * i) % 251);
      const [feature] = await reid.extract([new ImageData(pixels, 32, 64)]);
      const loaded = performance.getEntriesByType("resource").map(({ name }) => name.replace(/.*\//, ""));
      return { feature: [...(feature ?? [])], modules: loaded.filter((name) => name.endsWith(".wasm")) };
    });
  const relaxed = await extract();
  await page.addInitScript(() => {
    WebAssembly.validate = () => false;
  });
  await openPackage(page);
  const plain = await extract();
  expect(relaxed.modules.toSorted()).toEqual(["webreid_formats_bg.wasm", "webreid_relaxed_bg.wasm"]);
  expect(plain.modules.toSorted()).toEqual(["webreid_bg.wasm", "webreid_formats_bg.wasm"]);
  const largest = Math.max(...plain.feature.map(Math.abs));
  const differences = plain.feature.map((value, i) => Math.abs(value - (relaxed.feature[i] ?? Number.NaN)) / largest);
  expect(Math.max(...differences)).toBeLessThan(1e-5);
});

test("explicit workers are there when the model is", async ({ page }) => {
  const workers = page.workers().length;
  await page.evaluate(async () => {
    Object.assign(globalThis, {
      reid: await webreid.ReIdentifier.create({ workers: 3, weights: "./tiny_osnet.safetensors" }),
    });
  });
  expect(page.workers().length - workers).toBe(3);
});

test("a network without a checkpoint can be had by its name, and is the same each time", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { ReIdentifier } = webreid;
    const images = [new ImageData(new Uint8ClampedArray(4 * 64 * 32).fill(200), 64, 32)];
    const features = await Promise.all(
      [1, 2].map(async () => {
        const reid = await ReIdentifier.create({ weights: { untrained: "osnet_x0_25" } });
        return [reid.describe().architecture, Array.from((await reid.extract(images))[0] ?? [])] as const;
      }),
    );
    const fail = (options: object) => ReIdentifier.create(options).catch((error: ReidError) => error.message);
    const errors = [await fail({ weights: { untrained: "osnet_x9" } }), await fail({ workers: 0 })];
    return { features, errors };
  });
  expect(seen.features[0]?.[0]).toBe("OSNet x0.25");
  expect(seen.features[0]?.[1]).toHaveLength(512);
  expect(seen.features[1]).toEqual(seen.features[0]);
  expect(seen.errors).toEqual([
    expect.stringMatching(/there is no network "osnet_x9"; there are osnet_x0_25, /),
    expect.stringMatching(/`options\.workers` must be a whole number/),
  ]);
});

test("one picture in every form gives one feature", async ({ page }) => {
  const picture = person("ann.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 3).buffer.toString("base64");
  const seen = await page.evaluate(async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
    const blob = new Blob([bytes], { type: "image/png" });
    const address = URL.createObjectURL(blob);
    const bitmap = await createImageBitmap(blob);
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.drawImage(bitmap, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height);
    const offscreen = new OffscreenCanvas(canvas.width, canvas.height);
    offscreen.getContext("2d")?.drawImage(bitmap, 0, 0);
    const image = new Image();
    image.src = address;
    await image.decode();

    const reid = await webreid.ReIdentifier.create({ weights: new URL("./tiny_osnet.safetensors", location.href) });
    const forms = [
      blob,
      new File([blob], "ann.png"),
      address,
      new URL(address),
      bitmap,
      canvas,
      data,
      offscreen,
      image,
    ];
    const features = await reid.extract(forms);
    const first = features[0] as Feature;
    const again = await reid.extract([bitmap, data]);
    const result = {
      alike: features.map((feature) => reid.similarity(first, feature)),
      lengths: features.map((feature) => Math.hypot(...feature)),
      qualities: features.map((feature) => feature.quality),
      dim: first.length === reid.describe().featureDim,
      usable: again.length === 2 && bitmap.width > 0,
    };
    await reid.dispose();
    return result;
  }, picture);
  for (const similarity of seen.alike) expect(similarity).toBeCloseTo(1, 4);
  for (const length of seen.lengths) expect(length).toBeCloseTo(1, 5);
  expect(new Set(seen.qualities.map((quality) => quality.toFixed(4))).size).toBe(1);
  expect(seen).toMatchObject({ dim: true, usable: true });
});

test("what the network cannot take is refused for each image by name", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const reid = await webreid.ReIdentifier.create({ weights: "./tiny_osnet.safetensors" });
    const errors: string[] = [];
    const features = await reid.extract(
      [
        new File(["text"], "notes.png"),
        new ImageData(2, 2),
        "./missing.jpg",
        7 as unknown as Blob,
        new File([], "empty.bmp"),
      ],
      { onError: "skip", onImageError: (error) => errors.push(`${error.image?.index} ${error.code} ${error.message}`) },
    );
    return { errors, features: features.map((feature) => feature !== null) };
  });
  expect(seen.features).toEqual([false, true, false, false, false]);
  expect(seen.errors).toEqual([
    expect.stringMatching(/^0 bad-image notes\.png: this is/),
    expect.stringMatching(/^2 http missing\.jpg: .*HTTP status 404/),
    expect.stringMatching(/^3 bad-input image 4: an image must be/),
    expect.stringMatching(/^4 bad-image empty\.bmp: the file is empty/),
  ]);
});

test.describe("with an engine that fails", () => {
  const run = (images: number[], options: { skip?: boolean; abortAt?: number } = {}) => ({ images, ...options });

  /** Creates a ReIdentifier and extracts one-byte images; tells what came of it. */
  const extract = async ({ images, skip, abortAt }: ReturnType<typeof run>) => {
    const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
    const abort = new AbortController();
    const done: number[] = [];
    const skipped: string[] = [];
    try {
      const features = await reid.extract(
        images.map((byte) => new Blob([Uint8Array.of(byte)])),
        {
          signal: abort.signal,
          onError: skip ? "skip" : "throw",
          onImageError: (error) => skipped.push(error.message),
          onProgress: (progress) => {
            if (progress.phase !== "extract") return;
            done.push(progress.done);
            if (progress.done === abortAt) abort.abort();
          },
        },
      );
      return { features: features.map((feature) => feature?.length), done, skipped };
    } catch (error) {
      const { code, message, image } = error as ReidError;
      return { code, message, image, done, skipped };
    }
  };

  test("a crash costs a new worker and no result", async ({ page, faulty }) => {
    faulty.faults = 1;
    const result = await page.evaluate(extract, run([1, 255, 3]));
    expect(result).toMatchObject({ features: [2, 2, 2] });
    expect(faulty.created).toBe(2);
  });

  test("a lost device costs the same", async ({ page, faulty }) => {
    faulty.faults = 1;
    faulty.throws = 1;
    const result = await page.evaluate(extract, run([255]));
    expect(result).toMatchObject({ features: [2] });
    expect(faulty.created).toBe(2);
  });

  test("a device that is lost twice is left alone", async ({ page, faulty }) => {
    faulty.faults = 2;
    faulty.throws = 2;
    const result = await page.evaluate(extract, run([1, 255]));
    expect(result).toMatchObject({ features: [2, 2] });
    expect(faulty.created).toBe(3);
  });

  test("a second crash ends the call with `internal`, and the next call works", async ({ page, faulty }) => {
    faulty.faults = 2;
    const [failed, next] = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      const call = (byte: number) =>
        reid.extract([new Blob([Uint8Array.of(byte)])]).then(
          (features) => features.length,
          (error: ReidError) => `${error.code} ${error.message}`,
        );
      return [await call(255), await call(9)];
    });
    expect(failed).toMatch(/^internal .*unreachable/);
    expect(next).toBe(1);
    expect(faulty.created).toBe(3);
  });

  test("a worker that cannot be started again ends the call, and the next call tries anew", async ({
    page,
    faulty,
  }) => {
    const reid = await page.evaluateHandle(() =>
      webreid.ReIdentifier.create({ weights: new ArrayBuffer(1), device: "cpu" }),
    );
    const call = (byte: number) =>
      reid.evaluate(
        (reid, byte) =>
          reid.extract([new Blob([Uint8Array.of(byte)])]).then(
            (features) => features.length,
            (error: ReidError) => error.code,
          ),
        byte,
      );
    faulty.faults = 1;
    faulty.refusals = 1;
    expect(await call(255)).toBe("no-device");
    expect(await call(9)).toBe(1);
    expect(faulty.created).toBe(3);
  });

  test("a bad image rejects the call with its place and name", async ({ page, faulty }) => {
    const result = await page.evaluate(extract, run([1, 0, 3]));
    expect(result).toMatchObject({
      code: "bad-image",
      message: "image 2: the first byte is 0",
      image: { index: 1, name: "image 2" },
    });
    expect(faulty.created).toBe(1);
  });

  test("or, skipped, leaves a gap", async ({ page, faulty }) => {
    const result = await page.evaluate(extract, run([1, 0, 3], { skip: true }));
    expect(result).toMatchObject({ features: [2, undefined, 2], skipped: ["image 2: the first byte is 0"] });
    expect(faulty.created).toBe(1);
  });

  test("on the CPU a second worker takes a share, in order", async ({ page, faulty }) => {
    const [few, many] = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      // The fake's feature of a byte is the point on the circle at that angle.
      const angles = async (count: number) => {
        const bytes = Array.from({ length: count }, (_, i) => 1 + (i % 3));
        const features = await reid.extract(bytes.map((byte) => new Blob([Uint8Array.of(byte)])));
        return features.every(([x = 0, y = 0], i) => Math.abs(Math.atan2(y, x) - (bytes[i] ?? 0)) < 1e-6);
      };
      return [await angles(7), await angles(20)];
    });
    expect([few, many]).toEqual([true, true]);
    expect(faulty.created).toBe(2);
    expect(faulty.batches).toBe(4);
  });

  test("a second worker that dies leaves its share to the first", async ({ page, faulty }) => {
    faulty.faults = 2;
    const result = await page.evaluate(extract, run([1, 2, 3, 1, 255, 2, 3, 1]));
    expect(result).toMatchObject({ features: Array.from({ length: 8 }, () => 2) });
    expect(faulty.created).toBe(3);
  });

  test("cancelling takes effect before the next batch", async ({ page, faulty }) => {
    const result = await page.evaluate(
      extract,
      run(
        Array.from({ length: 300 }, () => 5),
        { abortAt: 16 },
      ),
    );
    expect(result).toMatchObject({ code: "aborted", done: [0, 8, 16] });
    expect(faulty.batches).toBe(2);
  });

  test("large images have a worker to themselves, which ends with the call, and one that breaks it is alone at fault", async ({
    page,
    faulty,
  }) => {
    let workers = 0;
    page.on("worker", () => workers++);
    const seen = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      const errors: string[] = [];
      const features = await reid.extract(
        [[254, 1], [254, 255], [254, 2], [3]].map((bytes) => new Blob([Uint8Array.from(bytes)])),
        { onError: "skip", onImageError: ({ code, message }) => errors.push(`${code} ${message}`) },
      );
      return { features: features.map((feature) => feature?.length), errors };
    });
    expect(seen.features).toEqual([2, undefined, 2, 2]);
    expect(seen.errors).toEqual([expect.stringMatching(/^bad-image image 2: the image cannot be decoded here/)]);
    // One that reads the file, one with the model, one for the large images, and another after the crash.
    expect(workers).toBe(4);
    expect(faulty.created).toBe(1);
    await expect.poll(() => page.workers().length).toBe(1);
  });

  test("after dispose every call rejects with `disposed`", async ({ page, faulty }) => {
    const codes = await page.evaluate(async () => {
      const reid = await webreid.ReIdentifier.create({ weights: new ArrayBuffer(1) });
      const codeOf = (call: Promise<unknown>) =>
        call.then(
          () => "",
          (error: ReidError) => error.code,
        );
      const pending = codeOf(reid.extract([new Blob([Uint8Array.of(1)])]));
      await reid.dispose();
      return [await pending, await codeOf(reid.extract([new Blob()])), await codeOf(reid.exportWeights())];
    });
    expect(codes).toEqual(["disposed", "disposed", "disposed"]);
    expect(faulty.created).toBe(1);
  });
});

test.describe("the automatic device", () => {
  const cases = [
    { name: "no WebGPU", adapter: undefined, device: "cpu", reason: /^CPU: this browser has no WebGPU\.$/ },
    { name: "no adapter", adapter: null, device: "cpu", reason: /^CPU: .*found no graphics adapter/ },
    {
      name: "a real GPU",
      adapter: { vendor: "nvidia", architecture: "ada" },
      device: "gpu",
      reason: /^GPU: .*nvidia ada\.$/,
    },
    {
      name: "SwiftShader",
      adapter: { vendor: "google", architecture: "swiftshader" },
      device: "cpu",
      reason: /emulated/,
    },
    {
      name: "llvmpipe",
      adapter: { description: "llvmpipe (LLVM 15.0.6, 256 bits)" },
      device: "cpu",
      reason: /emulated/,
    },
    {
      name: "a basic driver",
      adapter: { description: "Microsoft Basic Render Driver" },
      device: "cpu",
      reason: /emulated/,
    },
    {
      name: "a fallback adapter",
      adapter: { vendor: "x", isFallbackAdapter: true },
      device: "cpu",
      reason: /emulated/,
    },
  ];
  for (const { name, adapter, device, reason } of cases) {
    test(`with ${name} is the ${device}`, async ({ page }) => {
      const choices = await page.evaluate(async (info) => {
        const gpu = info === undefined ? undefined : { requestAdapter: async () => info && { info } };
        Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
        const forced = await webreid.chooseDevice("gpu").then(
          (choice) => choice.device,
          (error: ReidError) => error.code,
        );
        return { auto: await webreid.chooseDevice(), cpu: (await webreid.chooseDevice("cpu")).device, forced };
      }, adapter);
      expect(choices.auto.device).toBe(device);
      expect(choices.auto.reason).toMatch(reason);
      expect(choices.cpu).toBe("cpu");
      expect(choices.forced).toBe(adapter ? "gpu" : "no-device");
    });
  }
});
