import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
} from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

interface Options {
  readonly count: number;
  /** In pixels, before it is measured. */
  readonly size: number;
  readonly gap: number;
  keyOf(index: number): string | number;
  /** That stays, wherever it is scrolled: what has the focus. */
  readonly held?: number | undefined;
}

/** So many more than are seen, on either side: arrow keys go there. */
const OVERSCAN = 3;

/** A long list of which only what is seen is there. It scrolls with the window, or in the sheet that it lies in. */
export function useVirtual({ count, size, gap, keyOf, held }: Options) {
  const list = useRef<HTMLUListElement>(null);
  const [, draw] = useReducer((times: number, _: undefined) => times + 1, 0);
  const [start, setStart] = useState(0);
  const scroller = (): HTMLElement | Window => list.current?.closest("dialog") ?? window;
  const isWindow = () => scroller() instanceof Window;
  const options = {
    count,
    gap,
    overscan: OVERSCAN,
    scrollMargin: start,
    estimateSize: () => size,
    getItemKey: keyOf,
    getScrollElement: scroller as () => HTMLElement,
    // biome-ignore lint/suspicious/noExplicitAny: of two kinds of scrollers, which the library types apart
    observeElementRect: (of: any, tell: any) =>
      isWindow() ? observeWindowRect(of, tell) : observeElementRect(of, tell),
    // biome-ignore lint/suspicious/noExplicitAny: as above
    observeElementOffset: (of: any, tell: any) =>
      isWindow() ? observeWindowOffset(of, tell) : observeElementOffset(of, tell),
    // biome-ignore lint/suspicious/noExplicitAny: as above
    scrollToFn: (to: number, how: any, of: any) =>
      isWindow() ? windowScroll(to, how, of) : elementScroll(to, how, of),
    rangeExtractor: ({
      startIndex,
      endIndex,
      overscan,
    }: {
      startIndex: number;
      endIndex: number;
      overscan: number;
    }) => {
      const [first, last] = [Math.max(0, startIndex - overscan), Math.min(count - 1, endIndex + overscan)];
      const range = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
      if (held === undefined || held < 0 || held >= count) return range;
      return held < first ? [held, ...range] : held > last ? [...range, held] : range;
    },
    onChange: () => draw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => {
    virtualizer._willUpdate();
    const of = scroller();
    const top = list.current?.getBoundingClientRect().top ?? 0;
    const begins = of instanceof Window ? top + of.scrollY : top - of.getBoundingClientRect().top + of.scrollTop;
    // Half a pixel of rounding is no other place.
    if (Math.abs(begins - start) > 1) setStart(begins);
  });
  return { list, virtualizer, start };
}
