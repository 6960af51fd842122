import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer, GalleryQuestion, PhotoId } from "webreid";
import { cutOffs, people } from "../app.ts";
import { isAborted, messageOf } from "../errors.ts";
import type { CutOff } from "../state/cut-off.ts";
import { likenessOf, ofHundred, words } from "../words.ts";
import { Crop } from "./crop.tsx";
import { LikenessChart } from "./likeness-chart.tsx";
import { closeSheet, Sheet } from "./sheet.tsx";
import "../style/cut-off.css";

const w = words.cutOff;
const QUESTIONS = 10;
/** More pictures of a side say little more. */
const SHOWN = 3;
const ANSWERS: readonly Answer[] = ["same", "different", "unsure"];

/** Asks what tells most, and shows how well likeness tells these people apart. */
export function CutOffSheet() {
  const [stage, setStage] = useState<"start" | "questions" | "result">("start");
  return (
    <Sheet title={w.title}>
      {stage === "start" && (
        <>
          <p>{w.lead}</p>
          <div class="row">
            <button type="button" class="primary" onClick={() => setStage("questions")}>
              {w.start}
            </button>
            <button type="button" onClick={() => setStage("result")}>
              {w.showNow}
            </button>
          </div>
        </>
      )}
      {stage === "questions" && <Questions done={() => setStage("result")} />}
      {stage === "result" && <Result more={() => setStage("questions")} />}
    </Sheet>
  );
}

function Questions({ done }: { done(): void }) {
  const [question, setQuestion] = useState<GalleryQuestion>();
  const [answered, setAnswered] = useState(0);
  const [error, setError] = useState("");
  const card = useRef<HTMLElement>(null);
  const acts = people.acts.value;
  const actsBefore = useRef(acts);
  useEffect(() => {
    const abort = new AbortController();
    if (answered >= QUESTIONS) {
      done();
      return;
    }
    // What was undone is asked again.
    const isUndone = acts < actsBefore.current && answered > 0;
    actsBefore.current = acts;
    if (isUndone) {
      setAnswered(answered - 1);
      return;
    }
    setQuestion(undefined);
    people
      .gallery()
      .then((gallery) => gallery.suggest({ signal: abort.signal }))
      .then((next) => {
        if (abort.signal.aborted) return;
        if (!next) done();
        setQuestion(next);
      })
      .catch((reason: unknown) => {
        if (!isAborted(reason) && !abort.signal.aborted) setError(w.failed(messageOf(reason)));
      });
    return () => abort.abort();
  }, [answered, acts]);
  useEffect(() => {
    if (question) card.current?.focus();
  }, [question]);
  const answer = async (given: Answer) => {
    if (!question) return;
    const { a, b } = question;
    setQuestion(undefined);
    const isDone = await people.act((gallery, despite) => gallery.answer(a, b, given, { despite }).then(() => true), {
      done: w.answered[given],
    });
    if (isDone) setAnswered((before) => before + 1);
    else setQuestion(question);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const given = ({ y: "same", n: "different", u: "unsure" } as const)[event.key.toLowerCase() as "y" | "n" | "u"];
    if (!given) return;
    event.preventDefault();
    void answer(given);
  };
  return (
    <section ref={card} class="cut-off-card" aria-label={w.ask} tabIndex={-1} onKeyDown={onKeyDown}>
      <p class="note">{w.question(answered + 1, QUESTIONS)}</p>
      {error ? (
        <p class="error" role="alert">
          {error}
        </p>
      ) : (
        <h3>{question ? w.ask : w.looking}</h3>
      )}
      <div class="cut-off-sides">
        <Side photos={question?.a ?? []} which="left" />
        <Side photos={question?.b ?? []} which="right" />
      </div>
      <div class="row">
        {ANSWERS.map((given) => (
          <button key={given} type="button" disabled={!question} onClick={() => void answer(given)}>
            {w[given]}
          </button>
        ))}
        <span class="grow" />
        <button type="button" class="quiet" onClick={done}>
          {w.showNow}
        </button>
      </div>
      <p class="note cut-off-keys">{w.keys}</p>
    </section>
  );
}

function Side({ photos, which }: { readonly photos: readonly PhotoId[]; readonly which: "left" | "right" }) {
  const views = photos.slice(0, SHOWN).flatMap((id) => people.photos.value.get(id) ?? []);
  return (
    <div class="cut-off-side">
      {views.map((photo, i) => (
        <Crop key={photo.id} photo={photo} alt={w.side(i + 1, views.length, which)} />
      ))}
    </div>
  );
}

function Result({ more }: { more(): void }) {
  const [cutOff, setCutOff] = useState<CutOff | "none">();
  const [error, setError] = useState("");
  useEffect(() => {
    const abort = new AbortController();
    cutOffs.measure(abort.signal).then(
      (measured) => setCutOff(measured ?? "none"),
      (reason: unknown) => {
        if (!isAborted(reason)) setError(w.failed(messageOf(reason)));
      },
    );
    return () => abort.abort();
  }, []);
  return (
    <div class="cut-off-result" aria-busy={!cutOff && !error}>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {!cutOff && !error && <p class="note">{w.measuring}</p>}
      {cutOff === "none" && <p>{w.tooFew}</p>}
      {cutOff && cutOff !== "none" && <Measured {...cutOff} />}
      {(cutOff || error) && (
        <div class="row">
          <button type="button" onClick={more}>
            {w.more}
          </button>
          <button type="button" class="primary" onClick={closeSheet}>
            {w.done}
          </button>
        </div>
      )}
    </div>
  );
}

function Measured(cutOff: CutOff) {
  const { at, missed, mistaken, judgement, isConfirmed } = cutOff;
  return (
    <>
      <p>{w.best(likenessOf(at), ofHundred(missed), ofHundred(mistaken))}</p>
      <LikenessChart {...cutOff} />
      <p class="note">{isConfirmed ? w.fromConfirmed : w.fromGroups}</p>
      {judgement && (
        <>
          <p>{w.judged}</p>
          <ul class="cut-off-judged">
            {judgement.wrongSame !== undefined && <li>{w.callsSame(ofHundred(judgement.wrongSame))}</li>}
            {judgement.wrongDifferent !== undefined && <li>{w.callsDifferent(ofHundred(judgement.wrongDifferent))}</li>}
            <li>{w.callsNothing((100 * judgement.unsure).toFixed(judgement.unsure < 0.1 ? 1 : 0))}</li>
          </ul>
        </>
      )}
      <p class="note">{w.kept}</p>
    </>
  );
}
