import { model, people, place, sheet } from "../app.ts";
import { words } from "../words.ts";
import { AddPhotos } from "./add-photos.tsx";

const PLACES = ["people", "photos"] as const;

/** What is always at hand: the two places, the way back, and what looks at the photos. */
export function Bar({ isEmpty }: { readonly isEmpty: boolean }) {
  return (
    <header class="bar">
      <h1>
        <img src="./favicon.svg" alt="" width="28" height="28" /> {words.app.title}
      </h1>
      {!isEmpty && (
        <>
          <nav class="places" aria-label={words.app.places}>
            {PLACES.map((name) => (
              <button
                key={name}
                type="button"
                aria-current={place.value === name ? "page" : undefined}
                onClick={() => {
                  place.value = name;
                }}
              >
                {words.app[name]}
              </button>
            ))}
          </nav>
          <div class="tools">
            <AddPhotos />
            <TakeBack />
            <button
              type="button"
              onClick={() => {
                sheet.value = { is: "learning" };
              }}
            >
              {words.app.learn}
            </button>
            <button
              type="button"
              onClick={() => {
                sheet.value = { is: "keep" };
              }}
            >
              {words.app.keep}
            </button>
          </div>
        </>
      )}
      {/* What was taken back or removed may have been all. */}
      {isEmpty && (people.canUndo.value || people.canRedo.value) && (
        <div class="tools">
          <TakeBack />
        </div>
      )}
      <ModelChip />
    </header>
  );
}

/** The way back, and forth again. */
function TakeBack() {
  return (
    <>
      <button
        type="button"
        class="icon"
        aria-label={words.app.undo}
        title={`${words.app.undo} (Ctrl+Z)`}
        disabled={!people.canUndo.value}
        onClick={() => void people.undo()}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M6 3 2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 8H7" />
        </svg>
      </button>
      <button
        type="button"
        class="icon"
        aria-label={words.app.redo}
        title={`${words.app.redo} (Ctrl+Shift+Z)`}
        disabled={!people.canRedo.value}
        onClick={() => void people.redo()}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m10 3 3.5 3.5L10 10m3-3.5H6.5a4 4 0 0 0 0 8H9" />
        </svg>
      </button>
    </>
  );
}

/** Which model looks at the photos, where, and how fast; behind it is the rest. */
function ModelChip() {
  const { description, source, speed, error } = model;
  const device = description.value?.device.toUpperCase();
  const text = device
    ? words.app.modelChip(source.value.name, device, speed.value)
    : error.value
      ? words.app.modelFailed
      : words.app.modelLoading;
  return (
    <button
      type="button"
      class={error.value ? "chip wrong" : "chip"}
      aria-haspopup="dialog"
      onClick={() => {
        sheet.value = { is: "model" };
      }}
    >
      {text}
      {device && error.value && (
        <>
          <span aria-hidden="true"> !</span>
          <span class="unseen"> {words.model.failedBeside}</span>
        </>
      )}
    </button>
  );
}
