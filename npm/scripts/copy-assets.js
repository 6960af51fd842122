// tsc compiles our own sources only: the generated glue with its modules, the model and the licences go to dist.
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const npm = new URL("../", import.meta.url);
const dist = new URL("dist/", npm);
await mkdir(new URL("wasm/", dist), { recursive: true });

/** Over the 25 MB that some hosts take in one file; the package decompresses it. */
const COMPRESSED = new Set(["webreid_train"]);
/** Where the glue would look for its module, which it is always given: bundlers would ship it for this. */
const OWN_MODULE = /module_or_path = new URL\('\w+\.wasm', import\.meta\.url\);/;

for (const name of ["webreid", "webreid_relaxed", "webreid_formats", "webreid_train", "webreid_people"]) {
  const from = (end) => new URL(`src/wasm/${name}${end}`, npm);
  const to = (end) => new URL(`wasm/${name}${end}`, dist);
  const glue = await readFile(from(".js"), "utf8");
  if (!OWN_MODULE.test(glue)) throw new Error(`${name}.js does not look for its module as wasm-bindgen's glue does.`);
  await writeFile(to(".js"), glue.replace(OWN_MODULE, "throw new Error('The module is missing.');"));
  await copyFile(from(".d.ts"), to(".d.ts"));
  if (COMPRESSED.has(name)) await compress(from("_bg.wasm"), to("_bg.wasm.gz"));
  else await copyFile(from("_bg.wasm"), to("_bg.wasm"));
}
for (const name of ["webreid-small.safetensors", "MODEL_CARD.md", "DETECTOR.md"]) {
  await copyFile(new URL(`../models/${name}`, npm), new URL(name, dist));
}
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(new URL(`../${name}`, npm), new URL(name, dist));
await copyFile(new URL("LICENSE-MODEL.md", npm), new URL("webreid-small.LICENSE.md", dist));

/** Takes seconds: kept beside the module until that is another. */
async function compress(module, file) {
  const kept = new URL(`${module.href}.gz`);
  const [made, of] = await Promise.all([stat(kept).catch(() => undefined), stat(module)]);
  if (!made || made.mtimeMs < of.mtimeMs) {
    await writeFile(kept, await promisify(gzip)(await readFile(module), { level: 9 }));
  }
  await copyFile(kept, file);
}
