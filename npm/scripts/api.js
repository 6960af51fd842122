// API.md: every exported name with its declaration and what is said of it, from the built declarations.
import { readFile, writeFile } from "node:fs/promises";

const dist = new URL("../dist/", import.meta.url);
const files = new Map();

async function textOf(file) {
  const known = files.get(file) ?? readFile(new URL(file, dist), "utf8");
  files.set(file, known);
  return known;
}

const REEXPORT = /export (?:type )?\{([^}]*)\} from "\.\/([^"]+)\.js"/g;
const DECLARATION = (name) =>
  new RegExp(
    `^(?:/\\*\\*(?:(?!\\*/)[^])*?\\*/\\n)?export (?:declare )?(?:abstract )?(?:class|interface|type|function|const|let) ${name}\\b`,
    "m",
  );

/** The names that a file exports from others, with what each is called there. */
async function names(file) {
  const found = [];
  for (const [, list, from] of (await textOf(file)).matchAll(REEXPORT)) {
    for (const item of list
      .split(",")
      .map((part) => part.trim().replace(/^type /, ""))
      .filter(Boolean)) {
      const [there, here = there] = item.split(" as ");
      found.push({ here, there, from: `${from}.d.ts` });
    }
  }
  return found;
}

/** The text of a declaration, wherever it is re-exported from. */
async function declarationOf(name, file) {
  const text = await textOf(file);
  const start = DECLARATION(name).exec(text)?.index;
  if (start === undefined) {
    const next = (await names(file)).find(({ here }) => here === name);
    const local = /import type \{[^}]*\} from "\.\/([^"]+)\.js"/g;
    if (next) return declarationOf(next.there, next.from.replace(/^/, file.includes("/") ? "wasm/" : ""));
    for (const [imports, from] of text.matchAll(local)) {
      if (new RegExp(`\\b${name}\\b`).test(imports)) return declarationOf(name, `${from}.d.ts`);
    }
    throw new Error(`${name} is exported, and declared nowhere.`);
  }
  // Up to what comes next on the left margin.
  const rest = text.slice(start);
  const first = rest.search(/^export/m);
  const ends = [...rest.slice(first + 6).matchAll(/^(?:\/\*\*|export|declare|import|\/\/|type|interface|const)/gm)];
  return rest.slice(0, ends[0] ? first + 6 + ends[0].index : undefined).trim();
}

/** What a type is made of, where that is the modules' own: the glue's declarations are not exported. */
async function inner(declaration) {
  const [, people, other] = /= (?:Frozen<(?:Omit<)?Glue\.(\w+)|Readonly<(\w+)>)/.exec(declaration) ?? [];
  if (people) return declarationOf(people, "wasm/webreid_people.d.ts");
  return other ? declarationOf(other, "wasm/webreid.d.ts").catch(() => undefined) : undefined;
}

const HIDDEN = /^\s*(?:#private;|private constructor\(.*\);)\n/gm;

const [classes, functions, types] = [[], [], []];
for (const { here, there, from } of await names("index.d.ts")) {
  const own = await declarationOf(there, from);
  const declaration = [own, await inner(own)]
    .filter((text) => text !== undefined)
    .map((text) => text.replace(HIDDEN, "").replace(/^export (?:declare )?/gm, ""))
    .join("\n\n");
  const kind = /^class /m.test(declaration) ? classes : /^function /m.test(declaration) ? functions : types;
  kind.push({ name: here, text: `### ${here}\n\n\`\`\`ts\n${declaration}\n\`\`\`\n` });
}
const section = (title, list) => {
  const sorted = list.sort((a, b) => a.name.localeCompare(b.name)).map(({ text }) => text);
  return `## ${title}\n\n${sorted.join("\n")}`;
};
await writeFile(
  new URL("../API.md", import.meta.url),
  `# What the package exports

Made from the declarations (\`npm run build\`). [README.md](README.md) shows how they go together.

${[section("Classes", classes), section("Functions", functions), section("Types", types)].join("\n")}`,
);
