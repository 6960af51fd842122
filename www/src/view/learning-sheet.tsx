import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FineTuneDepth } from "webreid";
import { learning, model, place, sheet } from "../app.ts";
import { type Scores, verdict } from "../evaluation.ts";
import { verdictOf } from "../state/learning.ts";
import type { Outcome, Training } from "../state/training.ts";
import { duration, words } from "../words.ts";
import { LossChart } from "./loss-chart.tsx";
import { SaveModel } from "./save-model.tsx";
import { Sheet } from "./sheet.tsx";
import "../style/learning.css";

const DEPTHS: readonly FineTuneDepth[] = ["quick", "deeper", "full"];
/** With fewer, one photo more or less right says little. */
const FEW_SEARCHES = 10;

/** Has the model learn, shows how it goes, and takes it back. */
export function LearningSheet() {
  const { title, lead, ready } = words.learning;
  const examples = learning.examples.value;
  const training = learning.training.value;
  const isActive = learning.isActive.value;
  const pictures = examples.reduce((sum, { photos }) => sum + photos.length, 0);
  const isEnough = examples.length > 1;
  const { fingerprint } = model.description.value ?? {};
  useEffect(() => {
    if (!isActive) void learning.reckon();
  }, [examples.length, pictures, isActive, fingerprint]);
  return (
    <Sheet title={title}>
      <p>{lead}</p>
      {!isActive && (isEnough ? <p>{ready(examples.length, pictures)}</p> : <TooFew people={examples.length} />)}
      {training && <Course training={training} />}
      <Controls isEnough={isEnough} />
      {!isActive && model.isReady.value && (
        <div class="row learning-files">
          <SaveModel />
        </div>
      )}
    </Sheet>
  );
}

function TooFew({ people }: { readonly people: number }) {
  const { noModel, tooFew, whatToDo, toPeople } = words.learning;
  if (!model.isReady.value) return <p class="learning-missing">{noModel}</p>;
  return (
    <div class="learning-missing">
      <p>{tooFew(people)}</p>
      <p class="note">{whatToDo}</p>
      <button
        type="button"
        onClick={() => {
          place.value = "people";
          sheet.value = undefined;
        }}
      >
        {toPeople}
      </button>
    </div>
  );
}

function Controls({ isEnough }: { readonly isEnough: boolean }) {
  const [depth, setDepth] = useState<FineTuneDepth>("quick");
  const start = useRef<HTMLButtonElement>(null);
  const pause = useRef<HTMLButtonElement>(null);
  const isActive = learning.isActive.value;
  const isBusy = isActive || learning.isTurning.value;
  const isPaused = learning.training.value?.state.value === "paused";
  const lesson = learning.lessons.of(model.source.value);
  const before = lesson?.before;
  const times = model.source.value.learnt?.times ?? 0;
  const w = words.learning;
  // The keyboard is not left on what has gone.
  useLayoutEffect(() => {
    const { activeElement } = document;
    if (!activeElement?.matches("body, dialog, :disabled")) return;
    const target = isActive ? pause.current : start.current;
    if (target && !target.disabled) target.focus();
  }, [isActive, isBusy, before]);
  return (
    <div class="learning-controls">
      <fieldset class="learning-depths" hidden={isActive} disabled={isBusy || !isEnough}>
        <legend>{w.howMuch}</legend>
        {DEPTHS.map((name) => (
          <label key={name} class="learning-depth">
            <input type="radio" name="depth" value={name} checked={depth === name} onChange={() => setDepth(name)} />
            <span>
              <strong>{w.depths[name].title}</strong> <Time depth={name} />
              <span class="note">{w.depths[name].note}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="row">
        {isActive ? (
          <>
            <button ref={pause} type="button" onClick={() => (isPaused ? learning.resume() : learning.pause())}>
              {isPaused ? w.resume : w.pause}
            </button>
            <button type="button" onClick={() => learning.cancel()}>
              {w.cancel}
            </button>
          </>
        ) : (
          <button
            ref={start}
            type="button"
            class="primary"
            disabled={!isEnough || isBusy}
            onClick={() => void learning.improve(depth)}
          >
            {times > 0 ? w.again : w.start}
          </button>
        )}
        {before && !isActive && (
          <button type="button" disabled={isBusy} onClick={() => void learning.undo()}>
            {w.undo}
          </button>
        )}
      </div>
      {before && !isActive && <p class="note">{w.undoBrings(before.name)}</p>}
      {lesson && !before && !isActive && <p class="note">{w.gone}</p>}
    </div>
  );
}

function Time({ depth }: { readonly depth: FineTuneDepth }) {
  const expected = learning.estimate.value?.[depth];
  return <span class="note learning-time">{expected ? duration(expected.seconds) : ""}</span>;
}

/** How it goes, and what came of it. */
function Course({ training }: { readonly training: Training }) {
  const last = training.last.value;
  const error = training.error.value;
  // Undone, or another model's.
  const isStanding = training.improved.value !== undefined && training.improved.value === model.source.value;
  const isEnded = training.state.value === "ended";
  if (isEnded && !isStanding && !error) return null;
  return (
    <>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <LossChart losses={training.losses.value} steps={last?.steps ?? 0} />
      {isEnded && isStanding && !error && <Result training={training} />}
    </>
  );
}

function Result({ training }: { readonly training: Training }) {
  const outcome = training.outcome.value;
  return (
    <section class="learning-result" aria-label={words.learning.result}>
      <p>
        <strong>{verdictOf(training)}</strong>
      </p>
      {outcome && <Comparison {...outcome} />}
    </section>
  );
}

function Comparison({ before, after }: Outcome) {
  const w = words.learning;
  const rows: readonly (readonly [string, (scores: Scores) => string])[] = [
    [w.firstRight, ({ firstRight, searches }) => w.of(firstRight, searches)],
    [w.precision, ({ meanAveragePrecision }) => `${Math.round(100 * meanAveragePrecision)} %`],
  ];
  return (
    <>
      <table>
        <thead>
          <tr>
            {[w.onKeptAside, w.before, w.after].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([title, of]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{of(before)}</td>
              <td>{of(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        {w.measuredWith(after.searches)} {after.searches < FEW_SEARCHES && w.few}{" "}
        {verdict(before, after) !== "better" && w.undoHint}
      </p>
    </>
  );
}
