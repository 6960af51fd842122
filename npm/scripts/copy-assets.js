// tsc compiles our own sources only: the generated glue with its module, the model and the licences go to dist as they are.
import { copyFile, mkdir } from "node:fs/promises";

const npm = new URL("../", import.meta.url);
await mkdir(new URL("dist/wasm/", npm), { recursive: true });
for (const name of ["webreid.js", "webreid.d.ts", "webreid_bg.wasm"]) {
  await copyFile(new URL(`src/wasm/${name}`, npm), new URL(`dist/wasm/${name}`, npm));
}
const model = "webreid-osnet.safetensors";
await copyFile(new URL(`models/${model}`, npm), new URL(`dist/${model}`, npm)).catch(() => {
  process.stderr.write(`npm/models/${model} is missing: the package is built without its default model.\n`);
});
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  await copyFile(new URL(`../${name}`, npm), new URL(`dist/${name}`, npm));
}
