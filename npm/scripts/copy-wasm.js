// tsc compiles our sources only: the generated glue and the module it loads go to dist as they are.
import { copyFile, mkdir } from "node:fs/promises";

const from = new URL("../src/wasm/", import.meta.url);
const to = new URL("../dist/wasm/", import.meta.url);
await mkdir(to, { recursive: true });
for (const name of ["webreid.js", "webreid.d.ts", "webreid_bg.wasm"]) {
  await copyFile(new URL(name, from), new URL(name, to));
}
