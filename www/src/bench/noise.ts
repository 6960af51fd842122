const RGBA = 4;

/** Images of noise, one for each seed from 1: no two alike, and the same each time. */
export function noiseImages(count: number, width: number, height: number): ImageData[] {
  return Array.from({ length: count }, (_, i) => {
    const next = mulberry32(i + 1);
    const data = Uint8ClampedArray.from({ length: RGBA * width * height }, (_, k) =>
      k % RGBA === 3 ? 255 : next() >>> 24,
    );
    return new ImageData(data, width, height);
  });
}

/** Whole numbers of 32 bits. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}
