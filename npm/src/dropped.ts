// What nobody holds any more gives back what it has.

const registry = new FinalizationRegistry<() => void>((end) => end());

/** Has `end` called once `holder`, which it must not hold itself, has become garbage. Call what comes of it when that is ended. */
export function whenDropped(holder: object, end: () => void): () => void {
  registry.register(holder, end, holder);
  return () => registry.unregister(holder);
}
