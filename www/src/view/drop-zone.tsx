import { useEffect, useState } from "preact/hooks";
import { expectPhotos, filesOf, take } from "../intake.ts";
import { words } from "../words.ts";

/** Takes what is dropped or pasted anywhere on the page, and says so while something hovers. */
export function DropZone() {
  const [depth, setDepth] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    // Entering a child fires before leaving its parent: only the balance tells when the pointer has left the page.
    const move = (by: number) => (event: DragEvent) => {
      if (!hasFiles(event)) return;
      if (by > 0) expectPhotos();
      setDepth((now) => Math.max(0, now + by));
    };
    addEventListener("dragenter", move(1), { signal });
    addEventListener("dragleave", move(-1), { signal });
    // What is dragged on the page itself is only taken by what is made for it.
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
    addEventListener(
      "drop",
      (event) => {
        setDepth(0);
        if (!hasFiles(event) || !event.dataTransfer) return;
        event.preventDefault();
        void filesOf(event.dataTransfer).then(take);
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length > 0) void take(files.map((file) => ({ file, path: file.name })));
      },
      { signal },
    );
    return () => abort.abort();
  }, []);
  return depth > 0 ? (
    <div class="drop-overlay">
      <p>{words.app.dropHere}</p>
    </div>
  ) : null;
}
