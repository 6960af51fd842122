import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Answer, PhotoId } from "webreid";
import { jobs, people, questions, sheet } from "../app.ts";
import { answer, namedOn } from "../sorting.ts";
import { words } from "../words.ts";
import { Crop } from "./crop.tsx";
import { isText } from "./shortcuts.ts";
import "../style/helpers.css";

const KEYS: Readonly<Record<string, Answer>> = { y: "same", n: "different", u: "unsure" };
const ANSWERS = [
  ["same", "Y"],
  ["different", "N"],
  ["unsure", "U"],
] as const;

/** Asks whether two groups show one person: what is answered holds for good. */
export function QuestionCard() {
  // On a phone the pictures come first.
  const isOpen = useSignal(matchMedia("(min-width: 40.01rem)").matches);
  const heading = useRef<HTMLHeadingElement>(null);
  const { value: question } = questions.now;
  const { value: answered } = questions.answered;
  const isReading = jobs.all.value.some(({ about }) => about === "photos");
  const isThere = isOpen.value && question !== undefined && !isReading;
  const text = words.questions;
  const both = [question?.a, question?.b].map((side) => callOf(side ?? []));
  // Of a group that may be two people the name tells nothing.
  const names = both[0] === both[1] ? [] : both;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const said = KEYS[event.key.toLowerCase()];
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
      if (!said || !isPlain || !isThere || isText(event.target) || sheet.peek()) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      void answer(said);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [isThere]);

  useEffect(() => {
    // The buttons have gone with the last question.
    if (questions.isDone.value && document.activeElement === document.body && answered > 0) heading.current?.focus();
  }, [questions.isDone.value]);

  if (people.isReadOnly.value || isReading || (questions.isDone.value !== false && answered === 0 && !question)) {
    return null;
  }
  if (!isOpen.value) {
    if (questions.isDone.value) return null;
    return (
      <button
        type="button"
        class="reopen"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        {text.show}
      </button>
    );
  }
  return (
    <section class="card question" aria-label={text.region}>
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {question || !questions.isDone.value ? text.title : text.none}
        </h2>
        <button
          type="button"
          class="icon quiet"
          aria-label={text.hide}
          onClick={() => {
            isOpen.value = false;
          }}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="m4 4 8 8m0-8-8 8" />
          </svg>
        </button>
      </header>
      {(question || !questions.isDone.value) && (
        <>
          <div class="sides" aria-busy={!question}>
            <Side label={text.first} photos={question?.a ?? []} name={names[0]} />
            <Side label={text.second} photos={question?.b ?? []} name={names[1]} />
          </div>
          <div class="answers">
            {ANSWERS.map(([said, key]) => (
              <button
                key={said}
                type="button"
                aria-keyshortcuts={key}
                aria-disabled={!question}
                onClick={() => void answer(said)}
              >
                {text[said]} <kbd>{key}</kbd>
              </button>
            ))}
          </div>
        </>
      )}
      <footer>
        <span class="note">{text.answered(answered)}</span>
        {question && (
          <button type="button" class="quiet" onClick={() => questions.skip()}>
            {text.skip}
          </button>
        )}
      </footer>
    </section>
  );
}

/** What the row is called that they are all in; undefined where there is none. */
function callOf(photos: readonly PhotoId[]): string | undefined {
  const named = namedOn(photos);
  const [id, ...others] = new Set(photos.map((photo) => people.photos.value.get(photo)?.person));
  const one = named ?? (others.length === 0 ? id : undefined);
  return one === undefined ? undefined : people.labelOf(one);
}

interface SideProps {
  readonly label: string;
  readonly photos: readonly PhotoId[];
  readonly name: string | undefined;
}

/** A few pictures of a group, the most typical large. */
function Side({ label, photos, name }: SideProps) {
  const views = photos.flatMap((photo) => people.photos.value.get(photo) ?? []);
  const [first, ...others] = views;
  return (
    <figure aria-label={label}>
      <div class="large">{first && <Crop photo={first} alt={first.name} isLarge />}</div>
      {others.length > 0 && (
        <ul>
          {others.map((photo) => (
            <li key={photo.id}>
              <Crop photo={photo} alt={photo.name} />
            </li>
          ))}
        </ul>
      )}
      {name !== undefined && (
        <figcaption class="cut" title={name}>
          {name}
        </figcaption>
      )}
    </figure>
  );
}
