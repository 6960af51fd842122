// Large JPEGs of little data, made here: each 8×8 block is plain.

/** Two bits for a block that is as bright as the one before it, three and three bits for one that is not. */
const DC_CODES = { same: [0b0, 1], other: [0b10, 2] } as const;
const OTHER_BITS = 6;

/** A picture of grey boards, `width` × `height` pixels, without chroma subsampling: what takes a decoder most memory. */
export function boards(width: number, height: number): Buffer {
  const [across, down] = [Math.ceil(width / 8), Math.ceil(height / 8)];
  const bits = new Bits();
  let last = 0;
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const value = (Math.floor(x / 40) + Math.floor(y / 60)) % 2 === 0 ? 40 : 0;
      bits.block(value - last);
      last = value;
      // Of the two colours.
      bits.block(0);
      bits.block(0);
    }
  }
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const components = [1, 2, 3].flatMap((id) => [id, 0x11, 0]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...Array(64).fill(16)]),
    segment(0xc0, [8, ...size, 3, ...components]),
    // Codes of 1 and of 2 bits for the categories 0 and 6; a code of 1 bit for the end of a block.
    segment(0xc4, [0x00, 1, 1, ...Array(14).fill(0), 0, OTHER_BITS]),
    segment(0xc4, [0x10, 1, ...Array(15).fill(0), 0]),
    segment(0xda, [3, ...[1, 2, 3].flatMap((id) => [id, 0]), 0, 63, 0]),
    bits.finish(),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function segment(marker: number, body: number[]): Buffer {
  const length = body.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...body]);
}

class Bits {
  readonly #bytes: number[] = [];
  #value = 0;
  #count = 0;

  /** The difference to the block before, 0 or one of as many bits as `OTHER_BITS`, and nothing else. */
  block(difference: number): void {
    if (difference === 0) {
      this.#push(...DC_CODES.same);
    } else {
      this.#push(...DC_CODES.other);
      this.#push(difference > 0 ? difference : difference + 2 ** OTHER_BITS - 1, OTHER_BITS);
    }
    this.#push(0b0, 1);
  }

  finish(): Buffer {
    while (this.#count !== 0) this.#push(1, 1);
    return Buffer.from(this.#bytes);
  }

  #push(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#value = (this.#value << 1) | ((value >> bit) & 1);
      if (++this.#count < 8) continue;
      this.#bytes.push(this.#value);
      // A byte that would be taken for a marker.
      if (this.#value === 0xff) this.#bytes.push(0);
      this.#value = this.#count = 0;
    }
  }
}
