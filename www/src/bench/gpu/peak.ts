// The best rates that plain WGSL reaches: of products, in several forms, and of a copy.
import { messageOf } from "../../errors.ts";
import type { Probe } from "./probe.ts";
import {
  FORMS,
  type Form,
  factor,
  factorShader,
  formName,
  groupsOf,
  LARGEST,
  placesShader,
  productShader,
  SIZING,
  SMALLEST,
} from "./product.ts";
import type { PeakRow, Precision } from "./report.ts";

/** What one launch is to take at the least, unless it is large enough anyhow. */
const ENOUGH_MS = 5;
const SMALLEST_COPY = 16 << 20;
/** Bytes that a workgroup copies: 4 vec4s a thread. */
const GROUP_BYTES = 256 * 4 * 16;
/** Whole numbers up to it are exact in f16, and every other one up to twice as much. */
const HALF_EXACT = 2048;

const COPY = `
@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * 1024u + lane;
  for (var i = 0u; i < 4u; i++) {
    b[first + i * 256u] = a[first + i * 256u];
  }
}`;

/** How many rows there will be. */
export function peakCount({ precisions }: Probe): number {
  return 1 + precisions.reduce((sum, precision) => sum + FORMS[precision].length, 0);
}

/** A row as each is measured. */
export async function measurePeaks(
  probe: Probe,
  signal: AbortSignal,
  onTurn: (what: string) => void,
  onRow: (row: PeakRow) => void,
): Promise<void> {
  onTurn("a copy");
  onRow(await outcome({ what: "copy", precision: "f32", how: "" }, () => copy(probe)));
  let size: number | undefined;
  for (const precision of probe.precisions) {
    let factors: Factors | undefined;
    for (const form of FORMS[precision]) {
      if (signal.aborted) return;
      onTurn(`a product in ${precision}, ${formName(form)}`);
      const row = await outcome({ what: "product", precision, how: formName(form) }, async () => {
        size ??= await worthwhile(probe);
        factors ??= await Factors.make(probe, size, precision);
        return factors.product(form);
      });
      onRow(row);
    }
    factors?.free();
  }
}

type Found = Required<Pick<PeakRow, "how" | "rate" | "right">>;

async function outcome(
  row: Pick<PeakRow, "what" | "precision" | "how">,
  measure: () => Promise<Found>,
): Promise<PeakRow> {
  try {
    return { ...row, outcome: "measured", ...(await measure()) };
  } catch (error) {
    return { ...row, outcome: "failed", reason: messageOf(error) };
  }
}

/** Grows until it takes long enough to tell, and to leave the caches behind. */
async function copy(probe: Probe): Promise<Found> {
  for (let bytes = SMALLEST_COPY; ; bytes *= 2) {
    const buffers = [await probe.buffer(bytes), await probe.buffer(bytes)] as const;
    const last = new Uint8Array([1, 2, 3, 4]);
    probe.fill(buffers[0], bytes - last.length, last);
    const ms = await probe.time(await probe.launch(COPY, buffers, [bytes / GROUP_BYTES, 1]));
    const found = new Uint8Array(await probe.read(buffers[1], bytes - last.length, last.length));
    for (const buffer of buffers) buffer.destroy();
    if (ms < ENOUGH_MS && 2 * bytes <= probe.largest) continue;
    const right = found.every((byte, i) => byte === last[i]);
    return { how: `${bytes >> 20} MiB`, rate: (2 * bytes) / (ms / 1000), right };
  }
}

/** Rows, columns and depth that make a product take long enough. */
async function worthwhile(probe: Probe): Promise<number> {
  for (let size = SMALLEST; ; size *= 2) {
    if (size === LARGEST) return size;
    const factors = await Factors.make(probe, size, "f32");
    const ms = await factors.milliseconds(SIZING);
    factors.free();
    if (ms >= ENOUGH_MS) return size;
  }
}

/** Two factors on the GPU, and room for their product. */
class Factors {
  readonly #probe: Probe;
  readonly #size: number;
  readonly #precision: Precision;
  readonly #buffers: readonly GPUBuffer[];

  private constructor(probe: Probe, size: number, precision: Precision, buffers: readonly GPUBuffer[]) {
    this.#probe = probe;
    this.#size = size;
    this.#precision = precision;
    this.#buffers = buffers;
  }

  static async make(probe: Probe, size: number, precision: Precision): Promise<Factors> {
    const bytes = size * size * (precision === "f16" ? 2 : 4);
    const buffers = [await probe.buffer(bytes), await probe.buffer(bytes), await probe.buffer(bytes)];
    for (const buffer of buffers.slice(0, 2)) {
      await probe.run(await probe.launch(factorShader(size, precision), [buffer], [size / 256, size]));
    }
    return new Factors(probe, size, precision, buffers);
  }

  async milliseconds(form: Form): Promise<number> {
    const shader = productShader(form, this.#size, this.#precision);
    const launch = await this.#probe.launch(shader, this.#buffers, groupsOf(form, this.#size));
    return this.#probe.time(launch);
  }

  async product(form: Form): Promise<Found> {
    // What another form has left there would be right.
    const product = this.#buffers[2] as GPUBuffer;
    this.#probe.clear(product);
    const ms = await this.milliseconds(form);
    const rate = (2 * this.#size ** 3) / (ms / 1000);
    return { how: `${formName(form)}, of ${this.#size}`, rate, right: await this.#isRight(product) };
  }

  /** Where it is looked at. */
  async #isRight(product: GPUBuffer): Promise<boolean> {
    const size = this.#size;
    const places = [0, 1, size + 5, (size * size) / 2 + 77, (size * size) / 2 + 80, size * size - 1];
    const found = await this.#probe.buffer(4 * places.length);
    const shader = placesShader(places, this.#precision);
    await this.#probe.run(await this.#probe.launch(shader, [product, found], [1, 1]));
    const values = new Float32Array(await this.#probe.read(found, 0, 4 * places.length));
    found.destroy();
    return places.every((place, i) => {
      const [row, column] = [Math.floor(place / size), place % size];
      let expected = 0;
      for (let k = 0; k < size; k++) expected += factor(row, k) * factor(k, column);
      const isRounded = this.#precision === "f16" && Math.abs(expected) > HALF_EXACT;
      return Math.abs((values[i] ?? Number.NaN) - expected) <= (isRounded ? 1 : 0);
    });
  }

  free(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}
