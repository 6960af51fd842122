// Where the test's files come from: our own small fixture, and the shared data where it is at hand.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file as Playwright puts it into an input. */
export interface FilePayload {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** OSNet with few channels and random weights: as good as colour at telling our painted people apart. */
export const tinyCheckpoint = join(root, "tests/fixtures/tiny_osnet.safetensors");

/** A detector that takes red squares for people, and can be checked by hand: see tests/common/red_detector.rs. */
export const redDetector = join(root, "tests/fixtures/red_detector.safetensors");

/** An OpenVINO model with every operator that is read, and what OpenVINO computes with it. */
export const tinyOpenVino = ["xml", "bin"].map((end) => join(root, `tests/fixtures/openvino/small-reid.${end}`));
export const tinyOpenVinoExpected = join(root, "tests/fixtures/openvino/expected.safetensors");

/** A TensorFlow.js graph model. */
export const tinyTensorFlow = ["json", "bin"].map((end) => join(root, `tests/fixtures/tfjs/reid.${end}`));

export const sampleFolder = join(root, "www/public/samples");
export const pageFolder = join(root, "www/dist");
export const packageFolder = join(root, "npm/dist");

const shared = process.env.WEBREID_SHARED ?? join(root, "../shared");

/** Files under the shared data, or undefined (and a word on stderr) where it is absent. */
export function sharedFiles(...names: string[]): string[] | undefined {
  const paths = names.map((name) => join(shared, name));
  if (paths.every((path) => existsSync(path))) return paths;
  process.stderr.write("skipped: needs ../shared\n");
  return undefined;
}

export function filePayload(path: string, mimeType = "application/octet-stream"): FilePayload {
  return { name: basename(path), mimeType, buffer: readFileSync(path) };
}

/** The native command, as the native tests leave it. */
export const reidCommand = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", "reid");
