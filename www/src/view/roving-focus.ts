/**
 * Makes the buttons of a list one stop of the Tab key; arrow keys, Home and End move among them, up and down by what is
 * above and below on the screen. `refresh` is called after the list has changed.
 */
export function rovingFocus(list: HTMLElement, selector: string): { refresh(): void } {
  const items = () => [...list.querySelectorAll<HTMLElement>(selector)];
  const setStop = (stop: HTMLElement | undefined) => {
    for (const item of items()) item.tabIndex = item === stop ? 0 : -1;
  };

  list.addEventListener("focusin", (event) => {
    const item = (event.target as HTMLElement).closest<HTMLElement>(selector);
    if (item && item.tabIndex !== 0) setStop(item);
  });
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const current = all[at];
    if (!current) return;
    const target = destination(event.key, all, at, current);
    if (!target) return;
    event.preventDefault();
    target.focus();
  });

  return {
    refresh() {
      const all = items();
      if (!all.some((item) => item.tabIndex === 0)) setStop(all[0]);
    },
  };
}

function destination(key: string, all: HTMLElement[], at: number, current: HTMLElement): HTMLElement | undefined {
  switch (key) {
    case "ArrowRight":
      return all[at + 1];
    case "ArrowLeft":
      return all[at - 1];
    case "ArrowDown":
      return nearest(all.slice(at + 1), current, (box, from) => box.top >= from.bottom - 1);
    case "ArrowUp":
      return nearest(all.slice(0, at).reverse(), current, (box, from) => box.bottom <= from.top + 1);
    case "Home":
      return all[0];
    case "End":
      return all.at(-1);
    default:
      return undefined;
  }
}

/** Of the next row in that direction, the item that is closest sideways. */
function nearest(
  candidates: HTMLElement[],
  current: HTMLElement,
  isBeyond: (box: DOMRect, from: DOMRect) => boolean,
): HTMLElement | undefined {
  const from = current.getBoundingClientRect();
  let row: number | undefined;
  let best: { item: HTMLElement; offset: number } | undefined;
  for (const item of candidates) {
    const box = item.getBoundingClientRect();
    if (!isBeyond(box, from)) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) > 1) break;
    const offset = Math.abs(box.left - from.left);
    if (!best || offset < best.offset) best = { item, offset };
  }
  return best?.item;
}
