import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { contentSecurityPolicy } from "./csp.ts";

const POLICY = "Content-Security-Policy";

/** The policy stands in the page itself, so that it holds on any server; the development server needs inline scripts. */
const policyInPage: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": POLICY, content: contentSecurityPolicy },
      injectTo: "head-prepend",
    },
  ],
};

/**
 * hnswlib-wasm, which the benchmark measures, makes functions out of text. Its worker may, and nothing else: a worker's policy is
 * its own script's.
 */
const textIsCodeForAPeer: Plugin = {
  name: "content-security-policy-of-a-peer",
  configurePreviewServer({ middlewares }) {
    middlewares.use(({ url }, response, next) => {
      if (url && /\/assets\/peer-search-worker-[^/]*\.js$/.test(url)) {
        const setHeader = response.setHeader.bind(response);
        response.setHeader = (name, value) =>
          setHeader(name, name === POLICY ? String(value).replace("'wasm-unsafe-eval'", "'unsafe-eval'") : value);
      }
      next();
    });
  },
};

/** The detector as its author gives it, for the benchmark's peer: where the package's build has fetched it. */
const detectorForAPeer: Plugin = {
  name: "detector-for-a-peer",
  apply: "build",
  generateBundle() {
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "webreid", "detector");
    for (const name of ["nanodet.json", "nanodet.bin"]) {
      const file = join(cache, name);
      if (existsSync(file)) this.emitFile({ type: "asset", fileName: `bench/${name}`, source: readFileSync(file) });
    }
  },
};

/**
 * Isolated from other origins, a page may share memory between workers. Nothing of ours needs that; onnxruntime-web, which the
 * benchmark measures, has more than one thread only then.
 */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * `make demo` serves the page before what learns is compiled, and bundles it once more with that. Who has the page open by then finds
 * it, as in the mode "demo" its files are called the same whatever is in them.
 */
const LEARNS = /^(trainer-worker|webreid_train_bg\.wasm)/;

function named(mode: string, names: string): string | ((file: { name?: string; names?: string[] }) => string) {
  if (mode !== "demo") return names;
  return ({ name, names: [first = name ?? ""] = [] }) => (LEARNS.test(first) ? names.replace("-[hash]", "") : names);
}

export default defineConfig(({ mode }) => ({
  // Relative, so that the page works in any folder of any host.
  base: "./",
  // A missing file is a 404, not the page again.
  appType: "mpa",
  plugins: [policyInPage, textIsCodeForAPeer, detectorForAPeer],
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: named(mode, "assets/[name]-[hash].js") } } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "bench/index.html"],
      // The package in a file of its own: the benchmark tells its size.
      output: {
        codeSplitting: { groups: [{ name: "webreid", test: /\/npm\/dist\// }] },
        assetFileNames: named(mode, "assets/[name]-[hash][extname]"),
      },
    },
  },
  // The package lies beside this folder.
  server: { host: "127.0.0.1", headers: isolation, fs: { allow: [".."] } },
  preview: {
    host: "127.0.0.1",
    // As a header it holds for the worker too, which a page's own policy does not reach.
    headers: { ...isolation, [POLICY]: `${contentSecurityPolicy}; frame-ancestors 'none'` },
  },
}));
