// Whether every link in the project's texts leads somewhere: to a file that there is, and to a heading in it.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Nobody's texts, or others'. */
const LEFT_OUT = new Set(["node_modules", "target", ".git", "test-results", "playwright-report"]);
const CODE = /^(`{3,}|~{3,})[\s\S]*?^\1|`[^`\n]*`/gm;
const LINK = /\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/gm;

async function* texts(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) yield* texts(path);
    else if (entry.isFile() && entry.name.endsWith(".md")) yield path;
  }
}

/** What a heading is linked by, as GitHub makes it. */
function anchors(text) {
  const headings = text
    .replace(CODE, (code) => (code.startsWith("``") || code.startsWith("~") ? "" : code))
    .matchAll(/^#+ (.+)$/gm);
  const found = new Map();
  for (const [, heading] of headings) {
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const name = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const times = found.get(name) ?? 0;
    found.set(name, times + 1);
    if (times > 0) found.set(`${name}-${times}`, 1);
  }
  return found;
}

const broken = [];
let count = 0;
for await (const path of texts(root)) {
  const text = await readFile(path, "utf8");
  for (const [, inline, reference] of text.replace(CODE, "").matchAll(LINK)) {
    const link = inline ?? reference;
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
    count++;
    const [file, heading] = decodeURIComponent(link).split("#");
    const target = file ? resolve(dirname(path), file) : path;
    const isThere = existsSync(target);
    const isHeading = !heading || (isThere && anchors(await readFile(target, "utf8")).has(heading));
    if (!isThere || !isHeading) broken.push(`${relative(root, path)}: ${link}`);
  }
}
if (broken.length > 0) {
  process.stderr.write(`These links lead nowhere:\n${broken.join("\n")}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${count} links lead somewhere.\n`);
}
