import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

const PORT = Number(process.env.PAGE_TEST_PORT ?? 4174);

const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  // Chromium's sandbox does not run as root.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: ".",
  ...(process.env.THOROUGH ? {} : { grepInvert: /@thorough/ }),
  // The pages compute on all cores by themselves.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 60_000 },
  forbidOnly: process.env.CI !== undefined,
  reporter: [["list"]],
  use: { baseURL: `http://127.0.0.1:${PORT}/`, viewport: { width: 1280, height: 900 }, screenshot: "only-on-failure" },
  webServer: {
    command: `npx vite preview --port ${PORT} --strictPort`,
    cwd: fileURLToPath(new URL("../../www", import.meta.url)),
    url: `http://127.0.0.1:${PORT}/`,
  },
  projects: [
    // A browser without a graphics adapter: what most of the page is tested in.
    {
      name: "cpu",
      testIgnore: ["webgpu.spec.ts", "fine-tune-gpu.spec.ts", "devices.spec.ts", "lost-gpu.spec.ts"],
      use: { launchOptions: { executablePath, args: quiet } },
    },
    // WebGPU on SwiftShader, which is a CPU: right, and slow.
    {
      name: "webgpu",
      testMatch: [
        "webgpu.spec.ts",
        "features.spec.ts",
        "fine-tune-gpu.spec.ts",
        "new-people.spec.ts",
        "devices.spec.ts",
        "lost-gpu.spec.ts",
      ],
      timeout: 600_000,
      expect: { timeout: 300_000 },
      use: {
        launchOptions: {
          executablePath,
          args: [...quiet, "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--disable-gpu-sandbox"],
        },
      },
    },
  ],
});
