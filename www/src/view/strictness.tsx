import { useRef } from "preact/hooks";
import { people } from "../app.ts";
import { words } from "../words.ts";
import "../style/helpers.css";

/** How alike pictures of one person must be, and whether what cameras do to colours counts. */
export function Strictness() {
  const { groups } = words;
  /** Before the slider was moved. */
  const before = useRef<{ readonly was: number | undefined } | undefined>(undefined);
  const { value: chosen } = people.strictness;
  const used = chosen ?? people.usedStrictness.value ?? 0.5;
  const cameras = people.cameras.value.size;
  const done = () => {
    const { current } = before;
    before.current = undefined;
    if (current) remember(current.was, people.strictness.peek());
  };
  return (
    <section class="card strictness" aria-labelledby="strictness-label">
      <label id="strictness-label" for="strictness">
        {groups.strictness}
      </label>
      <input
        id="strictness"
        type="range"
        min="0"
        max="1"
        step="0.01"
        value={used}
        aria-valuetext={`${Math.round(100 * used)} %`}
        disabled={people.isReadOnly.value}
        onInput={({ currentTarget }) => {
          before.current ??= { was: people.strictness.peek() };
          void people.setStrictness(currentTarget.valueAsNumber);
        }}
        onChange={done}
      />
      <p class="ends note" aria-hidden="true">
        <span>{groups.more_together}</span>
        <span>{groups.more_apart}</span>
      </p>
      {chosen !== undefined && (
        <button
          type="button"
          class="quiet"
          onClick={(event) => {
            remember(chosen, undefined);
            void people.setStrictness(undefined);
            event.currentTarget.closest("section")?.querySelector("input")?.focus();
          }}
        >
          {groups.automatic}
        </button>
      )}
      {cameras > 1 && (
        <>
          <p class="note">{groups.cameras(cameras)}</p>
          <label class="switch">
            <input
              type="checkbox"
              checked={people.centre.value}
              onChange={({ currentTarget: { checked } }) => {
                void people.setCentre(checked);
                people.remember({
                  name: groups.camerasChanged,
                  undo: () => people.setCentre(!checked),
                  redo: () => people.setCentre(checked),
                });
              }}
            />
            {groups.camerasOn}
          </label>
        </>
      )}
    </section>
  );
}

function remember(was: number | undefined, is: number | undefined): void {
  if (was === is) return;
  people.remember({
    name: words.groups.strictnessChanged,
    undo: () => people.setStrictness(was),
    redo: () => people.setStrictness(is),
  });
}
