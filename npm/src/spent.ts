// In workers: memory that was read and is not needed any more.

interface Bytes {
  readonly buffer: ArrayBufferLike;
}

/**
 * Gives the memory of bytes back at once, where the runtime can: a worker, which makes little garbage otherwise, may leave 60 MB of
 * files lying before it collects them. Nobody may read the bytes any more.
 */
export function giveBack({ buffer }: Bytes): void {
  (buffer as { transfer?: (length: number) => ArrayBuffer }).transfer?.(0);
}

/** Uses bytes up. */
export function spend<B extends Bytes, T>(bytes: B, use: (bytes: B) => T): T {
  try {
    return use(bytes);
  } finally {
    giveBack(bytes);
  }
}
