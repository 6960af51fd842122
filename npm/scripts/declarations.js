// The declarations as TypeScript 5.4 reads them: typed arrays got their type parameter in 5.7, array iterators theirs in 5.6.
import { readdir, readFile, writeFile } from "node:fs/promises";

const dist = new URL("../dist/", import.meta.url);
const ARRAYS = /\b((?:Big)?(?:Uint|Int|Float)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g;

for (const name of await readdir(dist, { recursive: true })) {
  if (!name.endsWith(".d.ts")) continue;
  const file = new URL(name, dist);
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(ARRAYS, "$1").replace(/\bArrayIterator</g, "IterableIterator<"));
}
