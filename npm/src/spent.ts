// Memory that was read and is not needed any more.

interface Bytes {
  readonly buffer: ArrayBufferLike;
}

/** Nobody listens: what goes there is gone. */
let nowhere: MessagePort | undefined;

/**
 * Gives the memory of bytes back at once. Left to a worker's garbage collection, 50 MB of files lie about before it sets in; and
 * browsers hold what a `transfer` cuts off as long. Nobody may read the bytes any more.
 */
export function giveBack({ buffer }: Bytes): void {
  // What threads share is not ours to give, and what was given is gone.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return;
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(undefined, [buffer]);
}

/** Uses bytes up. */
export function spend<B extends Bytes, T>(bytes: B, use: (bytes: B) => T): T {
  try {
    return use(bytes);
  } finally {
    giveBack(bytes);
  }
}
