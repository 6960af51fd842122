// tsc compiles our own sources only: the generated glue with its modules, the model and the licences go to dist.
// With `--early` what learns may be missing: empty files stand in for it until it is compiled.
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const npm = new URL("../", import.meta.url);
const dist = new URL("dist/", npm);
await mkdir(new URL("wasm/", dist), { recursive: true });

/** Over the 25 MB that some hosts take in one file: compressed, and the package decompresses it. */
const LEARNS = "webreid_train";
/** What is called otherwise in dist. */
const NAMES = { "LICENSE-MODEL.md": "webreid-small.LICENSE.md" };
/** Where the glue would look for its module, which it is always given: bundlers would ship it for this. */
const OWN_MODULE = /module_or_path = new URL\('\w+\.wasm', import\.meta\.url\);/;

for (const name of ["webreid", "webreid_relaxed", "webreid_formats", "webreid_train", "webreid_people"]) {
  const from = (end) => new URL(`src/wasm/${name}${end}`, npm);
  const to = (end) => new URL(`wasm/${name}${end}`, dist);
  if (name === LEARNS && process.argv.includes("--early") && !existsSync(from("_bg.wasm"))) {
    await writeFile(to(".js"), "export default undefined;\nexport const Tuner = undefined;\n");
    await writeFile(to("_bg.wasm.gz"), "");
    continue;
  }
  const glue = await readFile(from(".js"), "utf8");
  if (!OWN_MODULE.test(glue)) throw new Error(`${name}.js does not look for its module as wasm-bindgen's glue does.`);
  await writeFile(to(".js"), glue.replace(OWN_MODULE, "throw new Error('The module is missing.');"));
  await copyFile(from(".d.ts"), to(".d.ts"));
  if (name === LEARNS) await compress(from("_bg.wasm"), to("_bg.wasm.gz"));
  else await copyFile(from("_bg.wasm"), to("_bg.wasm"));
}
await copyFile(new URL("../models/webreid-small.safetensors", npm), new URL("webreid-small.safetensors", dist));
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(new URL(`../${name}`, npm), new URL(name, dist));
for (const name of ["MODEL_CARD.md", "DETECTOR.md"]) await copyText(new URL(`../models/${name}`, npm), name);
await copyText(new URL("LICENSE-MODEL.md", npm), NAMES["LICENSE-MODEL.md"]);

/** What it links to lies beside it there. */
async function copyText(file, name) {
  const text = await readFile(file, "utf8");
  const links = /\]\((?:\.\.\/)*(?:[\w-]+\/)*([\w.-]+)\)/g;
  await writeFile(
    new URL(name, dist),
    text.replace(links, (_, file) => `](${NAMES[file] ?? file})`),
  );
}

/** Takes seconds: kept beside the module until that is another. */
async function compress(module, file) {
  const kept = new URL(`${module.href}.gz`);
  const [made, of] = await Promise.all([stat(kept).catch(() => undefined), stat(module)]);
  if (!made || made.mtimeMs < of.mtimeMs) {
    await writeFile(kept, await promisify(gzip)(await readFile(module), { level: 9 }));
  }
  await copyFile(kept, file);
}
