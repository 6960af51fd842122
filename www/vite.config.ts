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

export default defineConfig({
  // Relative, so that the page works in any folder of any host.
  base: "./",
  // A missing file is a 404, not the page again.
  appType: "mpa",
  plugins: [policyInPage],
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // The package lies beside this folder.
  server: { host: "127.0.0.1", fs: { allow: [".."] } },
  preview: {
    host: "127.0.0.1",
    // As a header it holds for the worker too, which a page's own policy does not reach.
    headers: { "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'` },
  },
});
