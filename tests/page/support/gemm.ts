// How fast an adapter multiplies matrices in WGSL at best, to hold networks against: a plain product with a tile of sums in
// the registers of each thread, in several sizes of tiles, of which the fastest counts.
import type { Page } from "@playwright/test";

export interface Gemm {
  /** Rows by columns of a thread's sums, and threads of a workgroup along both. */
  readonly tile: readonly [number, number, number, number];
  readonly gflops: number;
}

/** Rows and vec4s of columns of a thread, threads along rows and columns. */
const TILES = [
  [1, 1, 8, 8],
  [4, 1, 8, 8],
  [8, 1, 8, 8],
  [4, 2, 8, 8],
  [8, 2, 8, 8],
  [8, 2, 64, 1],
  [8, 2, 16, 4],
  [8, 4, 8, 8],
  [16, 2, 4, 8],
] as const;
/** Rows, columns and depth of the product. */
const SIZE = 512;
const REPEATS = 3;

/** Every tile, the fastest first. */
export async function gemms(page: Page): Promise<Gemm[]> {
  const tiles = TILES.map((tile) => ({ tile, wgsl: shader(tile) }));
  const seconds = await page.evaluate(measure, {
    shaders: tiles.map(({ wgsl }) => wgsl),
    tiles: TILES,
    size: SIZE,
    repeats: REPEATS,
  });
  const rated = tiles.map(({ tile }, i) => ({ tile, gflops: (2 * SIZE ** 3) / (seconds[i] ?? Number.NaN) / 1e9 }));
  return rated.sort((a, b) => b.gflops - a.gflops);
}

/** `c = a · b` with `a` [rows, depth], `b` and `c` in rows of vec4s; everything is a multiple of the tile. */
function shader([rows, columns, rowThreads, columnThreads]: readonly [number, number, number, number]): string {
  const each = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");
  const sum = (r: number, c: number) => `sum_${r}_${c}`;
  return `
@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<f32>>;
@compute @workgroup_size(${rowThreads * columnThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * ${rowThreads}u + lane % ${rowThreads}u) * ${rows}u;
  let column = (group.x * ${columnThreads}u + lane / ${rowThreads}u) * ${columns}u;
  ${each(rows, (r) => each(columns, (k) => `var ${sum(r, k)} = vec4<f32>();`))}
  for (var i = 0u; i < ${SIZE / 4}u; i++) {
    ${each(rows, (r) => `let a_${r} = a[(row + ${r}u) * ${SIZE / 4}u + i];`)}
    ${each(4, (d) =>
      each(
        columns,
        (k) => `let b_${d}_${k} = b[(i * 4u + ${d}u) * ${SIZE / 4}u + column + ${k}u];
    ${each(rows, (r) => `${sum(r, k)} = fma(vec4<f32>(a_${r}[${d}]), b_${d}_${k}, ${sum(r, k)});`)}`,
      ),
    )}
  }
  ${each(rows, (r) => each(columns, (k) => `c[(row + ${r}u) * ${SIZE / 4}u + column + ${k}u] = ${sum(r, k)};`))}
}`;
}

/** In the page: seconds of a product for each shader, the best of the repeats. */
async function measure({
  shaders,
  tiles,
  size,
  repeats,
}: {
  shaders: string[];
  tiles: readonly (readonly [number, number, number, number])[];
  size: number;
  repeats: number;
}): Promise<number[]> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("no adapter");
  const device = await adapter.requestDevice();
  const buffers = [0, 1, 2].map(() =>
    device.createBuffer({ size: size * size * 4, usage: 0x80 /* GPUBufferUsage.STORAGE */ }),
  );
  const seconds: number[] = [];
  for (const [i, code] of shaders.entries()) {
    const [rows, columns, rowThreads, columnThreads] = tiles[i] ?? [1, 1, 1, 1];
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    let best = Number.POSITIVE_INFINITY;
    // The first is the warm-up.
    for (let repeat = 0; repeat <= repeats; repeat++) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(size / (4 * columns * columnThreads), size / (rows * rowThreads));
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      if (repeat > 0) best = Math.min(best, (performance.now() - start) / 1000);
    }
    seconds.push(best);
  }
  device.destroy();
  return seconds;
}
