// tsc compiles our own sources only: the generated glue with its module, the model and the licences go to dist as they are.
import { copyFile, mkdir } from "node:fs/promises";

const npm = new URL("../", import.meta.url);
await mkdir(new URL("dist/wasm/", npm), { recursive: true });
const modules = ["webreid", "webreid_relaxed", "webreid_formats", "webreid_train", "webreid_people"];
for (const name of modules.flatMap((name) => [`${name}.js`, `${name}.d.ts`, `${name}_bg.wasm`])) {
  await copyFile(new URL(`src/wasm/${name}`, npm), new URL(`dist/wasm/${name}`, npm));
}
for (const name of ["webreid-small.safetensors", "MODEL_CARD.md", "DETECTOR.md"]) {
  await copyFile(new URL(`../models/${name}`, npm), new URL(`dist/${name}`, npm));
}
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  await copyFile(new URL(`../${name}`, npm), new URL(`dist/${name}`, npm));
}
