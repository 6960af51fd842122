// The licences of everything that is compiled into the shipped JavaScript and WebAssembly, in one file. The JavaScript has no
// dependencies; what wasm-bindgen generates is of its crate.
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const root = new URL("../../", import.meta.url);
const NOTICE = /^(licen[cs]e|copying|notice|copyright|unlicen[cs]e)/i;

const run = promisify(execFile);
const TARGET = "wasm32-unknown-unknown";

/** The crates in the modules, of which the one that learns has all features that any of them has. */
async function crates() {
  const cargo = async (...args) =>
    (await run("cargo", [...args, "--locked", "--offline"], { cwd: root, maxBuffer: 2 ** 28 })).stdout;
  const tree = ["tree", `--target=${TARGET}`, "--edges=normal,no-proc-macro", "--prefix=none", "--format={p}"];
  const features = [
    [],
    ...["webgpu,relaxed-simd", "formats", "people"].map((of) => ["--no-default-features", `--features=${of}`]),
  ];
  const lists = await Promise.all(features.map((of) => cargo(...tree, ...of)));
  const used = new Set(
    lists.flatMap((list) =>
      list.split("\n").map((line) => line.split(" ").slice(0, 2).join(" v").replace(" vv", " v")),
    ),
  );
  const { packages } = JSON.parse(await cargo("metadata", "--format-version=1", `--filter-platform=${TARGET}`));
  return packages
    .filter(({ name, version, source }) => source && used.has(`${name} v${version}`))
    .sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
}

/** Crates by the text of their licences: most share one. */
async function texts(packages) {
  const byText = new Map();
  for (const { name, version, license, license_file, manifest_path } of packages) {
    const folder = dirname(manifest_path);
    const names = (await readdir(folder)).filter((file) => NOTICE.test(file)).sort();
    if (license_file && !names.includes(license_file)) names.push(license_file);
    const crate = `${name} ${version} (${license ?? "see below"})`;
    if (names.length === 0) add(byText, "Its licence is named above; the crate brings no text of it along.", crate);
    for (const file of names) {
      const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
      if (text?.trim()) add(byText, text.replace(/\r\n/g, "\n").trim(), crate);
    }
  }
  return byText;
}

function add(byText, text, crate) {
  const key = text.replace(/\s+/g, " ");
  const known = byText.get(key) ?? { text, crates: new Set() };
  known.crates.add(crate);
  byText.set(key, known);
}

try {
  const packages = await crates();
  const parts = [...(await texts(packages)).values()].map(
    ({ text, crates }) => `${"=".repeat(80)}\n${[...crates].join("\n")}\n${"-".repeat(80)}\n${text}\n`,
  );
  const dist = new URL("../dist/", import.meta.url);
  await mkdir(dist, { recursive: true });
  await writeFile(
    new URL("THIRD_PARTY_LICENSES.txt", dist),
    `What is compiled into the WebAssembly modules and their JavaScript, and under which licences: ${packages.length} Rust crates, and\n` +
      "the Rust standard library (MIT OR Apache-2.0, https://github.com/rust-lang/rust).\n" +
      `The weights of the model and of the detector have their own: webreid-small.LICENSE.md, DETECTOR.md.\n\n${parts.join("\n")}`,
  );
} catch (error) {
  process.stderr.write(`No list of third-party licences comes with this build: ${error?.message ?? error}\n`);
}
