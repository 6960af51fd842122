import { readFileSync } from "node:fs";
import { type App, BUILT_IN_MODEL, expect, test } from "./support/app.ts";
import { type FilePayload, filePayload, sharedFiles, tinyCheckpoint, tinyOpenVino } from "./support/files.ts";
import { blank, person } from "./support/png.ts";

const good = [
  person("ann-1.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 1),
  person("ann-2.png", { top: [190, 40, 40], legs: [30, 30, 60] }, 2),
];

function file(name: string, content: string | Buffer): FilePayload {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}

/** After whatever went wrong: a search still gives the answer. */
async function stillWorks(app: App): Promise<void> {
  await app.compare(good);
  await app.choose("ann-1.png");
  expect((await app.ranking())[0]).toBe("ann-2.png");
}

test("checkpoints that are none are refused with a reason, and a good one still loads", async ({ app }) => {
  const whole = readFileSync(tinyCheckpoint);
  await app.start();
  for (const [bad, reason] of [
    [file("half.safetensors", whole.subarray(0, whole.length / 2)), /half\.safetensors|cut off|truncated|ends/i],
    [file("notes.pth", "Dear diary"), /.{20}/],
    [file("empty.safetensors", ""), /empty|0 bytes/i],
  ] as const) {
    await app.loadModel(bad);
    await expect(app.modelError).toHaveText(reason);
    await expect(app.modelError).toHaveText(/The model loaded before is still in use\.$/);
    await expect(app.modelSummary).toHaveText(/^The built-in model is ready/);
  }
  await app.loadModel(tinyCheckpoint);
  await expect(app.modelSummary).toHaveText(/^tiny_osnet\.safetensors is ready/);
  await expect(app.modelError).toBeHidden();
  await stillWorks(app);
});

test("an OpenVINO model is loaded from its two files, and one of them alone asks for the other", async ({
  app,
  page,
}) => {
  const [xml = "", bin = ""] = tinyOpenVino;
  await app.start();
  await app.loadModel(xml);
  await expect(app.modelError).toHaveText(/small-reid\.xml: .* in a \.bin file of the same name; give both/);
  await app.loadModel([filePayload(xml), file("small-reid.bin", readFileSync(bin).subarray(0, 1000))]);
  await expect(app.modelError).toHaveText(/The model loaded before is still in use\.$/);
  await app.loadModel([xml, bin]);
  await expect(app.modelSummary).toHaveText(/^small-reid\.xml is ready: small-reid/);
  await expect(app.modelError).toBeHidden();
  await app.compare(good);
  await page.getByLabel("Runs on").selectOption("cpu");
  await expect(app.modelSummary).toHaveText(/^small-reid\.xml is ready: small-reid/);
});

test("a truncated real checkpoint is refused, and the model before it stays", async ({ app, page }) => {
  const files = sharedFiles("weights/osnet_x0_25_market1501.pth");
  test.skip(!files, "needs ../shared");
  await app.start();
  await page.getByRole("button", { name: "Use another model" }).click();
  const whole = readFileSync(files?.[0] ?? "");
  await app.loadModel(file("half.pth", whole.subarray(0, whole.length / 2)));
  await expect(app.modelError).toHaveText(/The model loaded before is still in use\.$/);
  await expect(app.modelSummary).toHaveText(/OSNet/);
  await stillWorks(app);
});

test("files that are no usable image are listed with the reason; the others are compared", async ({ app }) => {
  const [first, second] = good as [FilePayload, FilePayload];
  await app.start();
  await app.compare([
    file("notes.png", "This is a text file with another name.\n"),
    first,
    file("empty.jpg", ""),
    blank("poster.png", 12_000, 9_000),
    file("half.png", first.buffer.subarray(0, first.buffer.length / 2)),
    second,
  ]);
  await expect(app.photos).toHaveCount(2);
  await expect(app.problems).toHaveCount(4);
  await expect(app.problems.filter({ hasText: "notes.png" })).toHaveText(/^notes\.png: this is .*, not an image/);
  await expect(app.problems.filter({ hasText: "empty.jpg" })).toHaveText(/^empty\.jpg: the file is empty/);
  await expect(app.problems.filter({ hasText: "poster.png" })).toHaveText(
    /12000×9000 = 108\.0 megapixels and the limit is 64/,
  );
  await expect(app.problems.filter({ hasText: "half.png" })).toHaveText(/cut off|damaged|broken/);
  await app.page.getByRole("button", { name: "Dismiss" }).click();
  await expect(app.problems).toHaveCount(0);
  await app.choose("ann-1.png");
  expect(await app.ranking()).toEqual(["ann-2.png"]);
});

test("a format that only the browser reads is compared all the same", async ({ app }) => {
  const gif = Buffer.from("R0lGODlhAQABAPAAAP8AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");
  await app.start();
  await app.compare(file("red.gif", gif));
  await expect(app.status).toHaveText("Done: 1 photo compared.");
  await stillWorks(app);
});

test("AVIF and HEIC are left to the browser whichever of their brands comes first", async ({ app }) => {
  // One red pixel, of the brand mif1 and compatible with avif.
  const avif =
    "AAAAIGZ0eXBtaWYxAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA" +
    "AAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAJAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEA" +
    "AGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAAQAAAAEAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwA" +
    "AAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAALG1kYXQSAAoIGAAGyAhoNCAyFhxHh4XdwAAsAAAg" +
    "kDWTv5y7YiQrqdg=";
  const heic = `\0\0\0\x18ftyphevc\0\0\0\0mif1heic${"\0".repeat(100)}`;
  await app.start();
  await app.compare([file("red.avif", Buffer.from(avif, "base64")), file("photo.heic", Buffer.from(heic, "latin1"))]);
  await expect(app.photos).toHaveCount(1);
  await expect(app.problems).toHaveText(/^photo\.heic: this browser cannot decode the image/);
});

test.describe("a download", () => {
  const address = "https://models.example/missing.pth";
  test.use({ allowed: [address] });

  test("that fails names the address and the status", async ({ page, baseURL }) => {
    // Without the guard: a browser logs a failed download as an error of its own.
    await page.route(address, (route) =>
      route.fulfill({ status: 404, headers: { "access-control-allow-origin": "*" }, body: "no" }),
    );
    await page.route(BUILT_IN_MODEL, (route) => route.fulfill({ path: tinyCheckpoint }));
    await page.goto(baseURL ?? "");
    await expect(page.locator("#model-summary")).toHaveText(/is ready/);
    await page.getByRole("button", { name: "Use another model" }).click();
    await page.getByLabel("Address of a model").fill(address);
    await page.getByRole("button", { name: "Load", exact: true }).click();
    await expect(page.locator("#model-error")).toHaveText(
      `${address} answered with HTTP status 404. Check the address. The model loaded before is still in use.`,
    );
  });

  test("of the built-in model that fails leaves a way to try again and to load another", async ({ page, baseURL }) => {
    let answers = 0;
    await page.route(BUILT_IN_MODEL, (route) =>
      route.fulfill(answers++ === 0 ? { status: 503, body: "later" } : { path: tinyCheckpoint }),
    );
    await page.goto(baseURL ?? "");
    await expect(page.locator("#model-error")).toHaveText(/answered with HTTP status 503/);
    await expect(page.getByText("Choose a model file")).toBeVisible();
    await page.getByRole("button", { name: "Use the built-in model" }).click();
    await expect(page.locator("#model-summary")).toHaveText(/^The built-in model is ready/);
    await expect(page.locator("#model-error")).toBeHidden();
  });
});
