import { defineConfig, type Plugin } from "vite";
import { contentSecurityPolicy } from "./csp.ts";

/** The policy stands in the page itself, so that it holds on any server; the development server needs inline scripts. */
const policyInPage: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: contentSecurityPolicy },
      injectTo: "head-prepend",
    },
  ],
};

/**
 * Isolated from other origins, a page may share memory between workers. Nothing of ours needs that; onnxruntime-web, which the
 * benchmark measures, has more than one thread only then.
 */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  // Relative, so that the page works in any folder of any host.
  base: "./",
  // A missing file is a 404, not the page again.
  appType: "mpa",
  plugins: [policyInPage],
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "bench/index.html"],
      // The package in a file of its own: the benchmark tells its size.
      output: { codeSplitting: { groups: [{ name: "webreid", test: /\/npm\/dist\// }] } },
    },
  },
  // The package lies beside this folder.
  server: { host: "127.0.0.1", headers: isolation, fs: { allow: [".."] } },
  preview: {
    host: "127.0.0.1",
    // As a header it holds for the worker too, which a page's own policy does not reach.
    headers: { ...isolation, "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'` },
  },
});
