// What a visitor waits for is the compressed module: one that has outgrown its budget fails the build. Compressing them all
// takes a minute, so what each came to is kept beside it.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress } from "node:zlib";

/** Bytes after Brotli, at its highest level. */
const BUDGETS = {
  webreid: 600_000,
  webreid_relaxed: 600_000,
  webreid_formats: 620_000,
  webreid_train: 3_000_000,
  webreid_people: 450_000,
};

const folder = new URL("../src/wasm/", import.meta.url);
const kept = new URL("compressed.json", folder);
const known = await readFile(kept, "utf8").then(JSON.parse, () => ({}));

async function measure(name) {
  const module = await readFile(new URL(`${name}_bg.wasm`, folder));
  const sum = createHash("sha256").update(module).digest("hex");
  if (known[name]?.sum === sum) return known[name];
  return { sum, bytes: (await promisify(brotliCompress)(module)).length };
}

const names = Object.keys(BUDGETS);
const sizes = await Promise.all(names.map(measure));
await writeFile(kept, JSON.stringify(Object.fromEntries(names.map((name, i) => [name, sizes[i]]))));
for (const [i, name] of names.entries()) {
  const [bytes, budget] = [sizes[i].bytes, BUDGETS[name]];
  process.stdout.write(`${name}: ${bytes} bytes compressed, of ${budget}\n`);
  if (bytes > budget) {
    process.stderr.write(
      `${name} is ${bytes - budget} bytes over its budget: leave something out, or say why it may be larger.\n`,
    );
    process.exitCode = 1;
  }
}
