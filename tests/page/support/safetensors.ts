import { readFileSync } from "node:fs";

interface Entry {
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function open(path: string): { file: Buffer; start: number; header: Record<string, unknown> } {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  return { file, start, header: JSON.parse(file.subarray(8, start).toString()) as Record<string, unknown> };
}

/** What the file says about itself. */
export function metadata(path: string): Readonly<Record<string, string>> {
  return open(path).header.__metadata__ as Record<string, string>;
}

/** A tensor of 32-bit floats, a row for each of its first dimension. */
export function tensor(path: string, name: string): number[][] {
  const { file, start, header } = open(path);
  const entry = header[name] as Entry | undefined;
  const [rows, ...others] = entry?.shape ?? [];
  if (entry === undefined || rows === undefined) throw new Error(`${path} has no tensor ${name}`);
  const columns = others.reduce((product, size) => product * size, 1);
  const bytes = file.subarray(start + entry.data_offsets[0], start + entry.data_offsets[1]);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => bytes.readFloatLE((row * columns + column) * 4)),
  );
}
