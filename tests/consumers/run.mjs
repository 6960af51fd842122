// The packed package as strangers use it: tiny apps of every bundler, built and opened in headless Chromium, and other runtimes.
// All must find the same features. `node tests/consumers/run.mjs [name …]`; what was installed stays in target/consumers.
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = join(root, "tests/consumers/app");
const work = join(root, "target/consumers");
const photos = join(root, "www/public/samples");
const run = promisify(execFile);
const { chromium } = createRequire(join(root, "tests/page/package.json"))("@playwright/test");

/** Bundlers that leave `new Worker(new URL(…))` as it is: a copy of `dist` is served, and the page says where. */
const ELSEWHERE = `import { configure } from "webreid";
export const before = () => configure({ assets: "/webreid/" });`;

const VITE_SERVER = {
  files: { "vite.config.js": `export default { optimizeDeps: { exclude: ["webreid"] } };` },
  serve: ["vite", "--port", "0", "--host", "127.0.0.1"],
};

/** Of each: what is installed, the files it has beside the app's, the command that builds it, and the folder that it builds. */
const BUNDLERS = {
  vite5: { install: ["vite@5.4.21"], build: ["vite", "build"], out: "dist" },
  vite7: { install: ["vite@7.3.8"], build: ["vite", "build"], out: "dist" },
  vite8: { install: ["vite@8.3.8"], build: ["vite", "build"], out: "dist" },
  "vite5 dev": { install: ["vite@5.4.21"], ...VITE_SERVER },
  "vite7 dev": { install: ["vite@7.3.8"], ...VITE_SERVER },
  "vite8 dev": { install: ["vite@8.3.8"], ...VITE_SERVER },
  webpack: {
    install: ["webpack@5.113.0", "webpack-cli@7.3.1"],
    build: ["webpack", "--mode", "production", "--entry", "./main.js", "--output-path", "out"],
    out: "out",
  },
  esbuild: {
    install: ["esbuild@0.28.2"],
    files: { "before.js": ELSEWHERE },
    build: ["esbuild", "main.js", "--bundle", "--format=esm", "--splitting", "--outdir=out"],
    out: "out",
    copy: true,
  },
  rollup: {
    install: ["rollup@4.68.8", "@rollup/plugin-node-resolve@16.0.3"],
    files: { "before.js": ELSEWHERE },
    build: ["rollup", "main.js", "-f", "es", "-d", "out", "-p", "@rollup/plugin-node-resolve={browser:true}"],
    out: "out",
    copy: true,
  },
  parcel: { install: ["parcel@2.16.4"], build: ["parcel", "build", "index.html", "--no-cache"], out: "dist" },
  next: {
    install: ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1"],
    files: {
      "next.config.mjs": `export default { output: "export" };`,
      "app/layout.js": `export default ({ children }) => <html lang="en"><body>{children}</body></html>;`,
      "app/page.js": `"use client";
import { useEffect } from "react";
import { rank } from "webreid";
export default function Page() {
  useEffect(() => void import("../main.js"), []);
  return <p>{rank([1], [[1]]).length}</p>;
}`,
    },
    build: ["next", "build"],
    out: "out",
  },
};

const CSP = (script, worker, policies) =>
  `default-src 'none'; script-src ${script} 'wasm-unsafe-eval'; worker-src ${worker}; connect-src ${script}; ` +
  `require-trusted-types-for 'script'; trusted-types ${policies}`;
const PLAIN = { "before.js": "export const before = () => {};" };

/** The package's files as they are, and pages that import them from `@`. */
const PAGES = {
  "import map": {},
  "other origin": { elsewhere: true },
  "CSP, Trusted Types": { importMap: false, csp: () => CSP("'self'", "'self'", "webreid") },
  "CSP, other origin": {
    importMap: false,
    elsewhere: true,
    csp: (cdn) => CSP(`'self' ${cdn}`, `blob: ${cdn}`, "webreid"),
  },
  SharedWorker: { importMap: false, shared: true },
};

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".css": "text/css",
};

/** Serves folders, the first that has the file. */
async function serve(folders, headers = {}) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html");
    for (const [prefix, folder] of folders) {
      if (!path.startsWith(prefix)) continue;
      const content = await readFile(join(folder, path.slice(prefix.length))).catch(() => undefined);
      if (!content) continue;
      const type = TYPES[extname(path)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, ...headers }).end(content);
      return;
    }
    response.writeHead(404).end("not here");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Installs packages and the tarball into a folder of their own; what is there already stays. */
async function install(name, packages, tarball) {
  const folder = join(work, name.replace(/\W+/g, "-"));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await rm(join(folder, "node_modules/webreid"), { recursive: true, force: true });
  const options = ["--no-audit", "--no-fund", "--silent", "--prefer-offline", "--no-package-lock", "--save-exact"];
  await run("npm", ["install", ...options, ...packages, tarball], { cwd: folder });
  return folder;
}

async function version(folder, of) {
  return JSON.parse(await readFile(join(folder, "node_modules", of, "package.json"), "utf8")).version;
}

async function open(browser, address) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  try {
    await page.goto(address);
    await page.waitForFunction(() => globalThis.result !== undefined, undefined, { timeout: 60_000 });
    const result = await page.evaluate(() => globalThis.result);
    return result.error ? { error: [result.error, ...said].join(" | ") } : result;
  } catch (error) {
    return { error: [error.message.split("\n")[0], ...said].join(" | ") };
  } finally {
    await page.close();
  }
}

async function bundle(browser, name, { install: packages, files = {}, build, serve: dev, out, copy }, tarball) {
  const folder = await install(name, packages, tarball);
  const environment = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: undefined };
  await cp(here, folder, { recursive: true });
  for (const [path, text] of Object.entries({ ...PLAIN, ...files })) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const command = (words) => [join(folder, "node_modules/.bin", words[0]), words.slice(1)];
  if (dev) {
    await mkdir(join(folder, "public"), { recursive: true });
    await cp(photos, join(folder, "public/photos"), { recursive: true });
    const [program, words] = command(dev);
    const server = execFile(program, words, { cwd: folder, env: environment });
    try {
      const address = await new Promise((resolve, reject) => {
        server.stdout.on("data", (text) => {
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
          if (found) resolve(found[0]);
        });
        server.on("exit", () => reject(new Error("the server ended")));
      });
      return [folder, await open(browser, `${address}/`)];
    } finally {
      server.kill();
    }
  }
  await rm(join(folder, out), { recursive: true, force: true });
  const [program, words] = command(build);
  await run(program, words, { cwd: folder, env: environment, maxBuffer: 2 ** 26 });
  const own = join(folder, out);
  if (copy) await cp(join(folder, "node_modules/webreid/dist"), join(own, "webreid"), { recursive: true });
  // Bundlers that build no page.
  if (!(await readdir(own)).includes("index.html")) await cp(join(here, "index.html"), join(own, "index.html"));
  const server = await serve([
    ["/photos/", photos],
    ["/", own],
  ]);
  try {
    return [folder, await open(browser, `${server.origin}/`)];
  } finally {
    server.close();
  }
}

async function plain(browser, name, { importMap = true, elsewhere = false, csp, shared }, dist) {
  const folder = join(work, `page-${name.replace(/\W+/g, "-")}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const cdn = await serve([["/webreid/", dist]], { "access-control-allow-origin": "*" });
  const address = elsewhere ? `${cdn.origin}/webreid/index.js` : "/webreid/index.js";
  const main = await readFile(join(here, "main.js"), "utf8");
  const html = await readFile(join(here, "index.html"), "utf8");
  const map = `<script type="importmap">{ "imports": { "webreid": "${address}" } }</script>`;
  await writeFile(join(folder, "before.js"), PLAIN["before.js"]);
  const inPlace = importMap ? main : main.replace('"webreid"', JSON.stringify(address));
  await writeFile(join(folder, shared ? "shared.js" : "main.js"), inPlace);
  if (shared) {
    await writeFile(
      join(folder, "main.js"),
      `const { port } = new SharedWorker("./shared.js", { type: "module" });
globalThis.result = new Promise((resolve) => { port.onmessage = ({ data }) => resolve(data); });`,
    );
    const answer = `\nself.onconnect = async ({ ports: [port] }) => port.postMessage(await globalThis.result);\n`;
    await writeFile(join(folder, "shared.js"), inPlace + answer);
  }
  await writeFile(join(folder, "index.html"), importMap ? html.replace("<script", `${map}\n<script`) : html);
  const headers = csp ? { "content-security-policy": csp(cdn.origin) } : {};
  const server = await serve(
    [
      ["/photos/", photos],
      ["/webreid/", dist],
      ["/", folder],
    ],
    headers,
  );
  try {
    return await open(browser, `${server.origin}/`);
  } finally {
    server.close();
    cdn.close();
  }
}

const inNode = async (node, folder) => {
  await cp(join(here, "node.mjs"), join(folder, "node.mjs"));
  const { stdout } = await run(node, ["node.mjs", photos], { cwd: folder, timeout: 120_000 });
  return JSON.parse(stdout);
};

const VITEST = `import { test, expect } from "vitest";
import { ReIdentifier } from "webreid";
test("a feature", async () => {
  const reid = await ReIdentifier.create({ workers: 1 });
  const [feature] = await reid.extract(["${join(photos, "p01_1.jpg")}"]);
  console.log("FEATURE" + JSON.stringify(Array.from(feature.values)));
  expect(feature.length).toBe(256);
});`;

/** What runs in no browser. Each gives a result as the pages do, or none: that it ends well is enough then. */
const PROGRAMS = {
  node: { install: [], of: "webreid", version: process.version, run: (folder) => inNode(process.execPath, folder) },
  node22: {
    install: ["node@22.23.3"],
    of: "node",
    run: (folder) => inNode(join(folder, "node_modules/node/bin/node"), folder),
  },
  vitest: {
    install: ["vitest@3.2.7"],
    of: "vitest",
    async run(folder) {
      await writeFile(join(folder, "feature.test.js"), VITEST);
      const { stdout } = await run(join(folder, "node_modules/.bin/vitest"), ["run"], { cwd: folder });
      return { features: [JSON.parse(/FEATURE(\[.*\])/.exec(stdout)[1])], confirmed: 2 };
    },
  },
  "TypeScript 5.4": { install: ["typescript@5.4.5"], of: "typescript", run: compile },
  "TypeScript 5.9": { install: ["typescript@5.9.3"], of: "typescript", run: compile },
  publint: {
    install: ["publint@0.3.25"],
    of: "publint",
    run: (folder) => quiet(folder, ["publint", "--strict", "node_modules/webreid"]),
  },
  attw: {
    install: ["@arethetypeswrong/cli@0.18.5"],
    of: "@arethetypeswrong/cli",
    // CommonJS can require it from Node 22 on; the package has no other form.
    run: (folder, tarball) => quiet(folder, ["attw", tarball, "--profile", "esm-only", "--no-color"]),
  },
};

async function compile(folder) {
  await cp(join(here, "types.ts"), join(folder, "types.ts"));
  for (const moduleResolution of ["bundler", "nodenext"]) {
    const module = moduleResolution === "bundler" ? "esnext" : "nodenext";
    const lib = ["es2022", "esnext.disposable", "dom", "dom.iterable"];
    const options = { noEmit: true, strict: true, skipLibCheck: false, target: "es2022", lib, types: [], module };
    const config = { compilerOptions: { ...options, moduleResolution }, files: ["types.ts"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await quiet(folder, ["tsc"]);
  }
}

async function quiet(folder, [program, ...words]) {
  await run(join(folder, "node_modules/.bin", program), words, { cwd: folder });
}

async function pack() {
  await mkdir(work, { recursive: true });
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", work], { cwd: join(root, "npm") });
  return join(work, stdout.trim().split("\n").at(-1));
}

/** Undefined where it is as it should be. */
function fault(result, expected) {
  if (!result) return undefined;
  if (result.error) return result.error;
  if (result.confirmed !== expected.confirmed) return `${result.confirmed} photos are confirmed`;
  for (const [i, feature] of result.features.entries()) {
    const apart = Math.max(...feature.map((value, at) => Math.abs(value - expected.features[i][at])));
    // Browsers multiply and add in one, Node 20 does not.
    if (!(apart < 1e-4)) return `feature ${i + 1} is ${apart} apart`;
  }
  return undefined;
}

const wanted = process.argv.slice(2);
const chosen = (list) => Object.entries(list).filter(([name]) => wanted.length === 0 || wanted.includes(name));
const tarball = await pack();
const first = await install("node", [], tarball);
const expected = await inNode(process.execPath, first);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });
const rows = [];

async function row(name, use) {
  let [of, result] = ["", undefined];
  try {
    [of, result] = await use();
  } catch (error) {
    const output = `${error.message} ${error.stdout ?? ""}`.replace(/\s+/g, " ");
    result = { error: output.slice(0, 600) };
  }
  const wrong = fault(result, expected);
  rows.push([name, of, wrong ? `FAILS: ${wrong}` : "works"]);
  process.stdout.write(`${name.padEnd(20)} ${of.padEnd(12)} ${rows.at(-1)[2]}\n`);
}

for (const [name, how] of chosen(BUNDLERS)) {
  await row(name, async () => {
    const [folder, result] = await bundle(browser, name, how, tarball);
    const [of] = how.install[0].split(/(?<=.)@/);
    return [await version(folder, of), result];
  });
}
const dist = join(first, "node_modules/webreid/dist");
for (const [name, how] of chosen(PAGES))
  await row(name, async () => [browser.version(), await plain(browser, name, how, dist)]);
for (const [name, how] of chosen(PROGRAMS)) {
  await row(name, async () => {
    const folder = await install(name, how.install, tarball);
    const result = await how.run(folder, tarball);
    return [how.version ?? (await version(folder, how.of)), result];
  });
}
await browser.close();
process.exitCode = rows.some(([, , how]) => how !== "works") ? 1 : 0;
