/** In pixels: less is a click. */
const LEAST = 6;
/** So near to the edge of the window it scrolls, in pixels, and so fast. */
const EDGE = 48;
const STEP = 14;

/** A rubber band, drawn with the mouse from wherever in `root` nothing else takes it: `pick` is told what it touches. */
export function lasso(
  root: HTMLElement,
  selector: string,
  pick: (items: HTMLElement[]) => void,
  signal: AbortSignal,
): void {
  root.addEventListener(
    "pointerdown",
    (event) => {
      const target = event.target as HTMLElement;
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      if (target.closest("button, input, label, a, select, [draggable=true]")) return;
      event.preventDefault();
      draw(root, selector, pick, event);
    },
    { signal },
  );
}

function draw(
  root: HTMLElement,
  selector: string,
  pick: (items: HTMLElement[]) => void,
  { clientX, clientY }: PointerEvent,
): void {
  const dialog = root.closest("dialog");
  const offset = () => (dialog ? dialog.scrollTop : scrollY);
  const from = { x: clientX, y: clientY + offset() };
  let at = { x: clientX, y: clientY };
  let frame = 0;
  const band = document.createElement("div");
  band.className = "lasso";
  const abort = new AbortController();

  const show = () => {
    const top = Math.min(from.y - offset(), at.y);
    const bottom = Math.max(from.y - offset(), at.y);
    const [left, right] = [Math.min(from.x, at.x), Math.max(from.x, at.x)];
    if (!band.isConnected) {
      if (Math.max(right - left, bottom - top) < LEAST) return;
      (dialog ?? document.body).append(band);
    }
    Object.assign(band.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
    pick(
      [...root.querySelectorAll<HTMLElement>(selector)].filter((item) => {
        const box = item.getBoundingClientRect();
        return box.left < right && box.right > left && box.top < bottom && box.bottom > top;
      }),
    );
  };
  const scroll = () => {
    const way = at.y < EDGE ? -STEP : at.y > innerHeight - EDGE ? STEP : 0;
    if (way !== 0 && band.isConnected) {
      (dialog ?? window).scrollBy(0, way);
      show();
    }
    frame = requestAnimationFrame(scroll);
  };
  frame = requestAnimationFrame(scroll);
  const end = () => {
    // A click beside everything lets go.
    if (!band.isConnected) pick([]);
    else swallowClick();
    cancelAnimationFrame(frame);
    abort.abort();
    band.remove();
  };
  addEventListener(
    "pointermove",
    (event) => {
      at = { x: event.clientX, y: event.clientY };
      show();
    },
    { signal: abort.signal },
  );
  for (const type of ["pointerup", "pointercancel"]) addEventListener(type, end, { signal: abort.signal });
  addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape") end();
    },
    { signal: abort.signal },
  );
}

/** The click that a drag ends with is none: beside a sheet it would close it. */
function swallowClick(): void {
  const abort = new AbortController();
  addEventListener("click", (event) => event.stopPropagation(), { capture: true, signal: abort.signal });
  setTimeout(() => abort.abort());
}
