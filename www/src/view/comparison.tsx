import { useEffect, useRef } from "preact/hooks";
import type { GalleryPhoto, PhotoId } from "webreid";
import { people, pile } from "../app.ts";
import { remarksOn } from "../state/remarks.ts";
import type { Found, Search } from "../state/search.ts";
import { likenessOf, percentOf, shortName, words } from "../words.ts";
import { Crop } from "./crop.tsx";
import { SearchButton } from "./search-button.tsx";
import { saidOf, TakenFor } from "./search-sheet.tsx";

const w = words.search;
/** Of a person who is searched for. */
const MOST_QUERIES = 4;

interface Props {
  readonly search: Search;
  readonly found: readonly Found[];
  readonly photo: PhotoId;
  show(photo: PhotoId): void;
  back(): void;
}

/** Somebody who was found beside who was searched for. */
export function Comparison({ search, found, photo: id, show, back }: Props) {
  const region = useRef<HTMLElement>(null);
  const at = found.findIndex((hit) => hit.photo === id);
  const hit = found[at];
  const photo = people.photos.value.get(id);
  useEffect(() => {
    region.current?.focus();
  }, []);
  if (!hit || !photo)
    return (
      <button type="button" onClick={back}>
        {w.back}
      </button>
    );
  const said = search.said(id);
  const percent = percentOf(hit.probability);
  const [previous, next] = [found[at - 1], found[at + 1]];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "y") void search.say(photo, "same");
    else if (key === "n") void search.say(photo, "different");
    else if (key === "arrowleft" && previous) show(previous.photo);
    else if (key === "arrowright" && next) show(next.photo);
    else return;
    event.preventDefault();
  };
  return (
    <section ref={region} class="comparison" aria-label={w.compare} tabIndex={-1} onKeyDown={onKeyDown}>
      <div class="comparison-pair">
        <figure>
          <figcaption>{w.searchedWith}</figcaption>
          <div class="comparison-pictures">
            {search.queries.slice(0, MOST_QUERIES).map((query) => (
              <Crop key={query.id} photo={query} alt={shortName(query.name)} isLarge />
            ))}
          </div>
        </figure>
        <figure>
          <figcaption>
            {w.found}: {shortName(photo.name)}
          </figcaption>
          <div class="comparison-pictures">
            <Crop key={id} photo={photo} alt={shortName(photo.name)} isLarge />
          </div>
        </figure>
      </div>
      <div class="comparison-words" aria-live="polite">
        <p>
          <strong>{said ? saidOf(said) : w.bands[hit.band].title}</strong>{" "}
          {percent === undefined ? w.noLikelihood : w.likelihood(percent)}
        </p>
        <TakenFor photo={photo} />
        <Remarks photo={photo} />
        <p class="note">
          {photo.camera !== undefined && w.camera(photo.camera)} {w.likeness(likenessOf(hit.score))}
        </p>
      </div>
      <div class="row comparison-tools">
        {(["same", "different"] as const).map((answer) => (
          <button
            key={answer}
            type="button"
            aria-pressed={said === answer}
            onClick={() => void search.say(photo, answer)}
          >
            {answer === "same" ? w.saidYes : w.saidNo}
          </button>
        ))}
        <SearchButton of={{ photo: id }} label={w.searchWithThis} />
        <span class="grow" />
        <button type="button" disabled={!previous} onClick={() => previous && show(previous.photo)}>
          {w.previous}
        </button>
        <button type="button" disabled={!next} onClick={() => next && show(next.photo)}>
          {w.next}
        </button>
        <button type="button" onClick={back}>
          {w.back}
        </button>
      </div>
      <p class="note search-keys">{w.keysCompared}</p>
    </section>
  );
}

function Remarks({ photo }: { readonly photo: GalleryPhoto }) {
  const remarks = remarksOn(photo, pile.ofHash(photo.hash));
  if (remarks.length === 0) return null;
  return (
    <p>
      {w.remarksTitle} {remarks.join(", ")}.
    </p>
  );
}
