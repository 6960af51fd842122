import { useLayoutEffect, useRef } from "preact/hooks";
import { notices } from "../app.ts";
import { words } from "../words.ts";

/** What was done, with a way back. */
export function Toasts() {
  return (
    <section class="toasts" aria-label={words.app.messages}>
      {notices.toasts.value.map(({ id, text, undo }) => (
        <div key={id} class="toast">
          <p>{text}</p>
          {undo && (
            <button
              type="button"
              onClick={() => {
                notices.dismiss(id);
                undo();
              }}
            >
              {words.app.undo}
            </button>
          )}
          <button type="button" class="icon" aria-label={words.app.dismiss} onClick={() => notices.dismiss(id)}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="m4 4 8 8m0-8-8 8" />
            </svg>
          </button>
        </div>
      ))}
    </section>
  );
}

/** The last thing worth saying aloud. */
export function Status() {
  return (
    <p class="status" role="status">
      {notices.status.value}
    </p>
  );
}

/** Files that could not be used, and why; where the photos are looked at. */
export function Problems() {
  const problems = notices.problems.value;
  if (problems.length === 0) return null;
  return (
    <section class="problems" role="alert" aria-labelledby="problems-heading">
      <h2 id="problems-heading">{words.app.problems(problems.length)}</h2>
      <ul aria-labelledby="problems-heading">
        {problems.map(({ name, reason }) => (
          <li key={name}>
            <strong>{name}</strong> {reason}
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => notices.clearProblems()}>
        {words.app.dismiss}
      </button>
    </section>
  );
}

/** A choice that only the user can make. */
export function AskDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = notices.question.value;
  // With the words: an empty dialog is never seen.
  useLayoutEffect(() => {
    if (question) dialog.current?.showModal();
    else dialog.current?.close();
  }, [question]);
  return (
    <dialog
      ref={dialog}
      class="ask"
      aria-labelledby="ask-title"
      onClose={({ currentTarget }) => {
        if (!currentTarget.open) notices.question.peek()?.answer(false);
      }}
    >
      <h2 id="ask-title">{question?.title}</h2>
      <p>{question?.text}</p>
      <div class="row">
        <button type="button" class="primary" onClick={() => question?.answer(true)}>
          {question?.yes}
        </button>
        <button type="button" onClick={() => question?.answer(false)}>
          {question?.no}
        </button>
      </div>
    </dialog>
  );
}
