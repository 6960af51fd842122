import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { PhotoId } from "webreid";
import { selection } from "../app.ts";
import { dragged, release } from "../sorting.ts";
import { lasso } from "./lasso.ts";
import { startMove } from "./move-dialog.tsx";
import { rovingFocus } from "./roving-focus.ts";

const PICK = ".pick";
const TICK = ".tick";
const FRAME = ".pick-frame";
/** A finger that rests so long picks. */
const LONG_PRESS_MS = 450;
/** In pixels: a finger that moves more scrolls. */
const STILL = 10;

interface Options {
  /** All photos in order, also those that are not drawn; default: those that are. */
  readonly all?: (() => readonly PhotoId[]) | undefined;
  /** Enter, a click, or a finger's tap. */
  open(photo: PhotoId): void;
  /** What the Delete key does. */
  takeOut?: ((photos: readonly PhotoId[]) => unknown) | undefined;
}

/**
 * Makes the pictures in an element something to open by a click; to pick by their tick boxes, a click with Ctrl or Shift, a rubber
 * band, a long press, or the arrow keys, Space and Shift; to drag away; and to do things with by key. While something is picked, a
 * click picks as well: what was gathered is not lost by one.
 */
export function usePicking(element: { readonly current: HTMLElement | null }, options: Options): void {
  const now = useRef(options);
  now.current = options;
  const focus = useRef<{ refresh(): void } | undefined>(undefined);
  const last = useRef<{ at: number; pick: Element } | undefined>(undefined);

  useEffect(() => {
    const { current: root } = element;
    if (!root) return undefined;
    focus.current = rovingFocus(root, PICK);
    focus.current.refresh();
    const abort = new AbortController();
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      handle: (event: HTMLElementEventMap[K], photo: PhotoId, pick: HTMLElement) => void,
    ) =>
      root.addEventListener(
        type,
        (event) => {
          const pick = (event.target as HTMLElement).closest?.<HTMLElement>(PICK);
          if (pick) handle(event, Number(pick.dataset.photo), pick);
        },
        { signal: abort.signal },
      );
    const drawn = () => [...root.querySelectorAll<HTMLElement>(PICK)];
    const all = () => now.current.all?.() ?? drawn().map(({ dataset }) => Number(dataset.photo));

    let pointer = "";
    /** Since when, and where, a finger rests; and whether it has picked already. */
    let press: { timer: number; x: number; y: number } | undefined;
    let hasPicked = false;
    /** What is dragged was picked by that alone. */
    let isForDrag = false;
    const endPress = () => {
      clearTimeout(press?.timer);
      press = undefined;
    };
    on("pointerdown", ({ pointerType, clientX: x, clientY: y }, photo) => {
      pointer = pointerType;
      hasPicked = false;
      if (pointerType !== "touch") return;
      endPress();
      const timer = window.setTimeout(() => {
        hasPicked = true;
        selection.toggle(photo);
        navigator.vibrate?.(10);
      }, LONG_PRESS_MS);
      press = { timer, x, y };
    });
    on("pointermove", ({ clientX, clientY }) => {
      if (press && Math.hypot(clientX - press.x, clientY - press.y) > STILL) endPress();
    });
    for (const end of ["pointerup", "pointercancel"] as const) on(end, endPress);
    on("contextmenu", (event) => {
      // The browser's own menu for a long press.
      if (pointer === "touch") event.preventDefault();
    });

    const pickBy = ({ shiftKey }: MouseEvent | KeyboardEvent, photo: PhotoId) => {
      if (shiftKey) selection.extend(photo, all());
      else selection.toggle(photo);
    };
    on("click", (event, photo) => {
      if (pointer === "touch" && hasPicked) return;
      const isKey = event.detail === 0;
      const isPicking = event.shiftKey || event.ctrlKey || event.metaKey || selection.photos.peek().size > 0;
      if (!isKey && isPicking) pickBy(event, photo);
      else now.current.open(photo);
    });
    root.addEventListener(
      "click",
      (event) => {
        const tick = event.target as HTMLInputElement;
        if (!tick.matches(TICK)) return;
        const photo = Number(tick.dataset.photo);
        pickBy(event, photo);
        // What it shows follows the selection.
        tick.checked = selection.photos.peek().has(photo);
        tick.closest(FRAME)?.querySelector<HTMLElement>(PICK)?.focus({ preventScroll: true });
      },
      { signal: abort.signal },
    );

    on("keydown", (event, photo, pick) => {
      const picked = () => {
        if (!selection.photos.peek().has(photo)) selection.only(photo);
        return [...selection.photos.peek()];
      };
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (event.key === " ") {
        event.preventDefault();
        pickBy(event, photo);
      } else if (event.shiftKey && document.activeElement !== pick) {
        // An arrow key has moved the focus.
        if (selection.photos.peek().size === 0) selection.only(photo);
        selection.extend(Number((document.activeElement as HTMLElement).dataset.photo), all());
      } else if (isPlain && event.key.toLowerCase() === "m") {
        event.preventDefault();
        startMove(picked());
      } else if (isPlain && event.key === "Delete") {
        event.preventDefault();
        void (now.current.takeOut ?? release)(picked());
      } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && now.current.all) {
        event.preventDefault();
        selection.set(all());
      } else if (event.key === "Escape" && !selection.isEmpty) {
        event.preventDefault();
        event.stopPropagation();
        selection.clear();
      }
    });

    on("dragstart", (event, photo) => {
      // There a long press picks.
      if (pointer === "touch") return event.preventDefault();
      isForDrag = !selection.photos.peek().has(photo);
      if (isForDrag) selection.only(photo);
      event.dataTransfer?.setData("text/plain", String(selection.photos.peek().size));
      if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
      // Chromium ends a drag whose start changes what is under it.
      setTimeout(() => {
        dragged.value = { photos: [...selection.photos.peek()] };
      });
    });
    on("dragend", () => {
      dragged.value = undefined;
      if (isForDrag) selection.clear();
    });
    on("focusin", (_, __, pick) => {
      last.current = { at: drawn().indexOf(pick), pick };
    });
    root.addEventListener(
      "focusout",
      ({ relatedTarget }) => {
        if (relatedTarget) last.current = undefined;
      },
      { signal: abort.signal },
    );
    lasso(root, PICK, (picks) => selection.set(picks.map(({ dataset }) => Number(dataset.photo))), abort.signal);
    return () => {
      endPress();
      abort.abort();
    };
  }, []);

  useLayoutEffect(() => {
    const { current: root } = element;
    if (!root) return;
    focus.current?.refresh();
    // What had the focus is gone: its neighbour takes it.
    const { current: had } = last;
    if (!had || had.pick.isConnected || document.activeElement !== document.body) return;
    const picks = [...root.querySelectorAll<HTMLElement>(PICK)];
    picks[Math.min(had.at, picks.length - 1)]?.focus();
  });
}
