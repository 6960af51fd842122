// What a file is by its first bytes, as far as that decides who decodes it.

/** Of HEIC, AVIF, and what both are a kind of, as in `src/image/brand.rs`. */
const BRANDS = new Set("avif avis heic heix hevc hevx heim heis hevm hevs heif mif1 mif2 msf1 miaf".split(" "));

/** GIF, and the ISO container of AVIF and HEIC. A broken PNG or JPEG must not come here: browsers show half of it. */
export function isForeignFormat(bytes: Uint8Array): boolean {
  const text = (start: number, end: number) => String.fromCharCode(...bytes.subarray(start, end));
  if (text(0, 4) === "GIF8") return true;
  if (bytes.length < 12 || text(4, 8) !== "ftyp") return false;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  // The major brand, a version, and the brands that the file is compatible with.
  if (BRANDS.has(text(8, 12))) return true;
  for (let at = 16; at + 4 <= Math.min(size, bytes.length); at += 4) {
    if (BRANDS.has(text(at, at + 4))) return true;
  }
  return false;
}

/** Text with an `svg` element, after what may stand before that. */
export function isSvg(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096)).trimStart();
  return /^<(svg|\?xml|!--|!doctype svg)/i.test(text) && /<svg[\s>]/i.test(text);
}
