// Before a package is packed: whether everything is in it that users expect. Without, a few kilobytes would be published.
import { access } from "node:fs/promises";

const NEEDED = [
  ["index.js", "`npm --prefix npm run build`"],
  ["node.js", "`npm --prefix npm run build`"],
  ...["webreid_bg.wasm", "webreid_relaxed_bg.wasm", "webreid_formats_bg.wasm", "webreid_people_bg.wasm"].map((name) => [
    `wasm/${name}`,
    "`make wasm`, then `npm --prefix npm run build`",
  ]),
  ["wasm/webreid_train_bg.wasm.gz", "`make wasm`, then `npm --prefix npm run build`"],
  ["webreid-small.safetensors", "`npm --prefix npm run build`"],
  ["webreid-small.LICENSE.md", "`npm --prefix npm run build`"],
  ["nanodet-g.safetensors", "`make detector`, then `npm --prefix npm run build`"],
  ["THIRD_PARTY_LICENSES.txt", "`npm --prefix npm run build`, where cargo is"],
];

const missing = [];
for (const [name, how] of NEEDED) {
  await access(new URL(`../dist/${name}`, import.meta.url)).catch(() => missing.push(`  dist/${name}: ${how}`));
}
if (missing.length > 0) {
  process.stderr.write(
    `The package is not whole. \`make release\` builds all of it and packs it. What is missing, and what makes it:\n${missing.join("\n")}\n`,
  );
  process.exitCode = 1;
}
