// Products of matrices in plain WGSL, in several forms, of which the fastest says what networks can be held against.
import type { Precision } from "./report.ts";

/** How a product is cut up. */
export interface Form {
  /** Rows and vec4s of columns of a thread. */
  readonly rows: number;
  readonly columns: number;
  /** Threads of a workgroup along both. */
  readonly threads: readonly [number, number];
  /** How much depth of both factors is in workgroup memory; 0: they are read from where they are. */
  readonly depth: number;
  /** In f16: how many vec4s of depth are summed in it before they are added in f32. */
  readonly halfSums: number;
}

function form(rows: number, columns: number, threads: readonly [number, number], depth = 0, halfSums = 1): Form {
  return { rows, columns, threads, depth, halfSums };
}

export const FORMS: Readonly<Record<Precision, readonly Form[]>> = {
  f32: [
    form(1, 1, [8, 8]),
    form(4, 1, [8, 8]),
    form(8, 1, [8, 8]),
    form(4, 2, [8, 8]),
    form(8, 2, [8, 8]),
    form(8, 2, [64, 1]),
    form(8, 2, [16, 4]),
    form(8, 4, [8, 8]),
    form(16, 2, [4, 8]),
    form(4, 1, [16, 16], 16),
    form(8, 1, [16, 16], 16),
    form(8, 2, [8, 8], 16),
    form(8, 2, [16, 16], 16),
    form(8, 4, [8, 8], 8),
    form(4, 4, [16, 8], 16),
  ],
  f16: [
    form(8, 2, [8, 8]),
    form(8, 2, [8, 8], 0, 4),
    form(8, 1, [16, 16], 16),
    form(8, 2, [8, 8], 16),
    form(8, 2, [8, 8], 16, 4),
    form(8, 2, [16, 16], 16, 4),
    form(8, 4, [8, 8], 16, 4),
  ],
};

export const SMALLEST = 512;
export const LARGEST = 2048;

/** The form whose time tells how large a product is worth measuring. */
export const SIZING = form(8, 2, [8, 8]);

export function formName({ rows, columns, threads: [down, across], depth, halfSums }: Form): string {
  const memory = depth > 0 ? `, ${depth} deep in workgroup memory` : "";
  const sums = halfSums > 1 ? `, ${4 * halfSums} summed in f16` : "";
  return `${rows}×${columns} by ${down}×${across}${memory}${sums}`;
}

/** Workgroups along columns and rows. */
export function groupsOf({ rows, columns, threads: [down, across] }: Form, size: number): [number, number] {
  return [size / (4 * columns * across), size / (rows * down)];
}

/** Factors are whole numbers, so small that sums of their products have no rounding. */
export function factor(row: number, column: number): number {
  return ((row * 7 + column * 3) % 5) - 2;
}

/** Fills a factor of so many rows and columns. */
export function factorShader(size: number, precision: Precision): string {
  return `${enabling(precision)}
@group(0) @binding(0) var<storage, read_write> values: array<vec4<${precision}>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = vec4<u32>(id.x * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
  let whole = vec4<f32>((vec4<u32>(id.y * 7u) + columns * 3u) % vec4<u32>(5u)) - 2.0;
  values[id.y * ${size / 4}u + id.x] = vec4<${precision}>(whole);
}`;
}

/** Gives the values at these places of a product in f32. */
export function placesShader(places: readonly number[], precision: Precision): string {
  return `${enabling(precision)}
@group(0) @binding(0) var<storage, read> c: array<${precision}>;
@group(0) @binding(1) var<storage, read_write> found: array<f32>;
@compute @workgroup_size(1)
fn main() {
  ${lines(places, (place, i) => `found[${i}] = f32(c[${place}]);`)}
}`;
}

/** `c = a · b`, of so many rows, columns and depth, all in rows of vec4s; the size is a multiple of the form. */
export function productShader(of: Form, size: number, precision: Precision): string {
  const { rows, columns, depth, halfSums } = of;
  const [down, across] = of.threads;
  const threads = down * across;
  const vecs = size / 4;
  const isHalf = precision === "f16";
  const shares = depth > 0;
  const width = columns * across;
  /** vec4s of depth at a time; of both factors in workgroup memory. */
  const step = shares ? depth / 4 : halfSums;
  const [aVecs, bVecs] = [rows * down * step, depth * width];
  const [r, k] = [range(rows), range(columns)];
  const sums = (line: (r: number, k: number) => string) => lines(r, (r) => lines(k, (k) => line(r, k)));
  // Neighbours take neighbouring columns where both are in workgroup memory, and neighbouring rows where they are not.
  const mine = shares ? [`lane / ${across}u`, `lane % ${across}u`] : [`lane % ${down}u`, `lane / ${down}u`];
  const rowOf = (r: number) => (shares ? `my_row + ${r * down}u` : `my_row * ${rows}u + ${r}u`);
  const columnOf = (k: number) => (shares ? `my_column + ${k * across}u` : `my_column * ${columns}u + ${k}u`);
  const a = (r: number, n: number) =>
    shares ? `a_part[(${rowOf(r)}) * ${step}u + j + ${n}u]` : `a[(first_row + ${rowOf(r)}) * ${vecs}u + i + ${n}u]`;
  const b = (d: number, k: number, n: number) =>
    shares
      ? `b_part[((j + ${n}u) * 4u + ${d}u) * ${width}u + ${columnOf(k)}]`
      : `b[((i + ${n}u) * 4u + ${d}u) * ${vecs}u + first_column + ${columnOf(k)}]`;
  const sum = isHalf ? "part" : "sum";
  const multiply = (n: number) => `{
      ${lines(r, (r) => `let a_${r} = ${a(r, n)};`)}
      ${lines(range(4), (d) => lines(k, (k) => `let b_${d}_${k} = ${b(d, k, n)};`))}
      ${lines(range(4), (d) => sums((r, k) => `${sum}_${r}_${k} = fma(vec4<${precision}>(a_${r}[${d}]), b_${d}_${k}, ${sum}_${r}_${k});`))}
    }`;
  const some = `
    ${isHalf ? sums((r, k) => `var part_${r}_${k} = vec4<f16>();`) : ""}
    ${lines(range(halfSums), multiply)}
    ${isHalf ? sums((r, k) => `sum_${r}_${k} += vec4<f32>(part_${r}_${k});`) : ""}`;
  const shared = `
    workgroupBarrier();
    for (var at = lane; at < ${aVecs}u; at += ${threads}u) {
      a_part[at] = a[(first_row + at / ${step}u) * ${vecs}u + i + at % ${step}u];
    }
    for (var at = lane; at < ${bVecs}u; at += ${threads}u) {
      b_part[at] = b[(i * 4u + at / ${width}u) * ${vecs}u + first_column + at % ${width}u];
    }
    workgroupBarrier();
    for (var j = 0u; j < ${step}u; j += ${halfSums}u) { ${some} }`;
  return `${enabling(precision)}
@group(0) @binding(0) var<storage, read> a: array<vec4<${precision}>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<${precision}>>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4<${precision}>>;
${shares ? `var<workgroup> a_part: array<vec4<${precision}>, ${aVecs}>;` : ""}
${shares ? `var<workgroup> b_part: array<vec4<${precision}>, ${bVecs}>;` : ""}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let my_row = ${mine[0]};
  let my_column = ${mine[1]};
  let first_row = group.y * ${rows * down}u;
  let first_column = group.x * ${width}u;
  ${sums((r, k) => `var sum_${r}_${k} = vec4<f32>();`)}
  for (var i = 0u; i < ${vecs}u; i += ${step}u) { ${shares ? shared : some} }
  ${sums((r, k) => `c[(first_row + ${rowOf(r)}) * ${vecs}u + first_column + ${columnOf(k)}] = vec4<${precision}>(sum_${r}_${k});`)}
}`;
}

function enabling(precision: Precision): string {
  return precision === "f16" ? "enable f16;" : "";
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function lines<T>(of: readonly T[], line: (one: T, i: number) => string): string {
  return of.map(line).join("\n");
}
