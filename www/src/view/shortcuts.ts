import { useEffect } from "preact/hooks";
import { people } from "../app.ts";

/** Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y) everywhere but in a text field, which has its own. */
export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isBeingEdited(event.target)) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      void (key === "y" || event.shiftKey ? people.redo() : people.undo());
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

/** A field whose text is as it was saved has nothing of its own to take back. */
function isBeingEdited(target: EventTarget | null): boolean {
  return isText(target) && !(target instanceof HTMLInputElement && target.dataset.saved === target.value);
}

export function isText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type))
  );
}
