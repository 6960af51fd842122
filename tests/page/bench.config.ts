// `make bench`: the page's benchmark in the two browsers of the tests, for the numbers and not to check them.
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig({
  ...tests,
  testMatch: "bench.run.ts",
  timeout: 0,
  // Each browser measures what it has.
  projects: (tests.projects ?? []).map(({ name = "", use = {} }) => ({ name, use })),
});
