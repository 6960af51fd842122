import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { sheet } from "../app.ts";
import { words } from "../words.ts";
import { Foot } from "./foot.tsx";

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

/** What had the focus when there was no sheet yet. */
let opener: HTMLElement | undefined;

/** Something laid over the page, which goes on behind it: Escape, the cross or a click beside it closes it. */
export function Sheet({ title, tools, children, isWide = false, onClose = closeSheet }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the browser takes the focus off a page that is inert.
  useLayoutEffect(() => {
    const { current } = dialog;
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && !activeElement.closest("dialog")) opener = activeElement;
    current?.showModal();
    return () => {
      current?.close();
      // One sheet after another goes back to where the first was opened.
      if (sheet.peek() !== undefined) return;
      const target = opener?.isConnected ? opener : document.getElementById("content");
      target?.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same, by the dialog itself
    <dialog
      ref={dialog}
      class={isWide ? "sheet wide" : "sheet"}
      aria-labelledby="sheet-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // Browsers close it without asking when Escape is pressed twice.
      onClose={({ currentTarget }) => {
        if (currentTarget.isConnected) onClose();
      }}
      onClick={(event) => {
        // The second click of a double click is meant for what the first has opened it from.
        if (event.target === dialog.current && event.detail < 2) onClose();
      }}
    >
      <div class="sheet-body">
        <header class="sheet-head">
          <h2 id="sheet-title" tabIndex={-1}>
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
      <Foot />
    </dialog>
  );
}
