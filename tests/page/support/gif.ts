const [CLEAR, END, FIRST] = [4, 5, 6];
const LAST = 4000;

/** A plain black GIF of `width` × `height` pixels: some kilobytes, however many they are. */
export function plainGif(width: number, height: number): Buffer {
  const bytes: number[] = [];
  let [value, count] = [0, 0];
  // The lowest bit first; as many bits as the last code that the decoder knows takes.
  const push = (code: number, known: number) => {
    value |= code << count;
    count += Math.floor(Math.log2(known)) + 1;
    for (; count >= 8; count -= 8, value >>>= 8) bytes.push(value & 255);
  };
  push(CLEAR, FIRST);
  let next = FIRST - 1;
  for (let left = width * height; left > 0; next++) {
    // Each code stands for a pixel more than the one before, and is the very one that it adds to the table.
    const run = Math.min(left, next - FIRST + 2);
    push(run === 1 ? 0 : FIRST + run - 2, next);
    left -= run;
    if (next < LAST) continue;
    push(CLEAR, next + 1);
    next = FIRST - 2;
  }
  push(END, next);
  push(0, 128);

  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  return Buffer.concat([
    Buffer.from("GIF89a", "latin1"),
    // Four colours, all of them black.
    Buffer.from([...size, 0x81, 0, 0, ...Array(12).fill(0), 0x2c, 0, 0, 0, 0, ...size, 0, 2]),
    ...blocks,
    Buffer.from([0, 0x3b]),
  ]);
}
