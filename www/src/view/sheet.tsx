import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { sheet } from "../app.ts";
import { words } from "../words.ts";

interface Props {
  readonly title: string;
  /** Beside the title. */
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
  /** As wide as the window allows, for pictures; otherwise a column at the side. */
  readonly isWide?: boolean;
  /** Default: closes the sheet. */
  readonly onClose?: () => void;
}

export function closeSheet(): void {
  sheet.value = undefined;
}

/**
 * Something laid over the page, which goes on behind it and cannot be reached meanwhile; Escape, the cross or a click beside it
 * closes it. No modal dialog of the browser's: what is said at the foot, and its Undo, stay within reach.
 */
export function Sheet({ title, tools, children, isWide = false, onClose = closeSheet }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog:modal")) return;
      event.preventDefault();
      onClose();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [onClose]);
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for the pointer alone; Escape and the cross do the same */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div class="sheet-back" onClick={onClose} />
      <dialog open class={isWide ? "sheet wide" : "sheet"} aria-labelledby="sheet-title">
        <div class="sheet-body">
          <header class="sheet-head">
            <h2 ref={heading} id="sheet-title" tabIndex={-1}>
              {title}
            </h2>
            {tools}
            <button type="button" class="quiet icon" aria-label={words.app.close} onClick={onClose}>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d="m4 4 8 8m0-8-8 8" />
              </svg>
            </button>
          </header>
          {children}
        </div>
      </dialog>
    </>
  );
}
