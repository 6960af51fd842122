import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { GalleryPhoto, PhotoId } from "webreid";
import { cutOffs, notices, people, pile, sheet } from "../app.ts";
import { remarksOn } from "../state/remarks.ts";
import { BANDS, type Band, type Found, Search, type Wanted } from "../state/search.ts";
import { likenessOf, percentOf, shortName, words } from "../words.ts";
import { Comparison } from "./comparison.tsx";
import { Crop } from "./crop.tsx";
import { rovingFocus } from "./roving-focus.ts";
import { SearchButton } from "./search-button.tsx";
import { closeSheet, Sheet } from "./sheet.tsx";
import { isText } from "./shortcuts.ts";
import "../style/search.css";

const w = words.search;
/** As many as fill the window once or twice. */
const PAGE = 48;
/** More pictures of whom is searched for would only push what was found down. */
const MOST_QUERIES = 6;

interface Props {
  readonly of: Wanted;
}

/** Where else somebody is: the others in three bands, by how likely they are the same person. */
export function SearchSheet({ of }: Props) {
  return <Searching key={"person" in of ? `person ${of.person}` : `photo ${of.photo}`} of={of} />;
}

function Searching({ of }: Props) {
  const search = useMemo(() => new Search(of, people, notices, cutOffs), []);
  const [compared, setCompared] = useState<PhotoId>();
  const lastCompared = useRef<PhotoId>(undefined);
  const results = useRef<HTMLDivElement>(null);
  const found = search.found.value;
  const error = search.error.value;
  useEffect(() => {
    void search.go();
    return () => search.stop();
  }, []);
  // Back from the pictures side by side, the keyboard is where it was.
  useLayoutEffect(() => {
    if (compared !== undefined) lastCompared.current = compared;
    else if (lastCompared.current !== undefined) {
      results.current?.querySelector<HTMLElement>(`[data-photo="${lastCompared.current}"]`)?.focus();
      lastCompared.current = undefined;
    }
  }, [compared]);
  const shown = (found ?? []).filter(({ photo }) => isShown(photo));
  const back = () => setCompared(undefined);
  return (
    <Sheet title={w.titleOf(search.name)} isWide onClose={compared === undefined ? closeSheet : back}>
      {compared === undefined ? (
        <div class="search">
          <Query search={search} />
          <div class="search-found" ref={results} aria-busy={search.isBusy.value}>
            {people.isOutdated.value && <p class="note">{w.outdated}</p>}
            {error && (
              <p class="error" role="alert">
                {error}{" "}
                <button type="button" onClick={() => void search.go()}>
                  {words.app.again}
                </button>
              </p>
            )}
            {!found && !error && <p class="note">{w.busy}</p>}
            {found && shown.length === 0 && !error && <p>{w.nobody}</p>}
            {shown.length > 0 && shown.every(({ band }) => band === "unlikely") && <p>{w.noneLikely}</p>}
            <Bands search={search} found={shown} open={setCompared} />
          </div>
        </div>
      ) : (
        <Comparison search={search} found={shown} photo={compared} show={setCompared} back={back} />
      )}
    </Sheet>
  );
}

function isShown(photo: PhotoId): boolean {
  const view = people.photos.value.get(photo);
  return view !== undefined && !view.hidden;
}

/** Who is searched for, and what is known of them already. */
function Query({ search }: { readonly search: Search }) {
  const { queries, person, of, name } = search;
  const confirmed = search.confirmed();
  const isPhoto = "photo" in of;
  const isSure = queries.some((photo) => photo.confirmed);
  const answers = search.answers;
  const all = isPhoto && person !== undefined ? (people.byId.value.get(person)?.confirmed.length ?? 0) : 0;
  return (
    <section class="search-query" aria-label={w.searchedWith}>
      <div class={queries.length > 1 ? "search-pictures several" : "search-pictures"}>
        {queries.slice(0, MOST_QUERIES).map((photo) => (
          <Crop key={photo.id} photo={photo} alt={shortName(photo.name)} isLarge={queries.length === 1} />
        ))}
      </div>
      <p class="note">{isPhoto ? w.withOne : isSure ? w.with(queries.length) : w.withGuesses(queries.length)}</p>
      {person !== undefined && all > 1 && <SearchButton of={{ person }} label={w.withAll(all, name)} />}
      {answers > 0 && (
        <button type="button" class="primary" disabled={search.isBusy.value} onClick={() => void search.go()}>
          {w.again(answers)}
        </button>
      )}
      {confirmed.length > 0 && (
        <details class="search-known">
          <summary>{w.confirmed(confirmed.length)}</summary>
          <ul>
            {confirmed.slice(0, PAGE).map((photo) => (
              <li key={photo.id}>
                <Crop photo={photo} alt={shortName(photo.name)} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {!isPhoto && <p class="note">{w.othersLeftOut}</p>}
      <button
        type="button"
        class="quiet search-sure"
        onClick={() => {
          sheet.value = { is: "cut-off" };
        }}
      >
        {w.howSure}
      </button>
      <p class="note search-keys">{w.keys}</p>
    </section>
  );
}

interface BandsProps {
  readonly search: Search;
  readonly found: readonly Found[];
  open(photo: PhotoId): void;
}

function Bands({ search, found, open }: BandsProps) {
  const list = useRef<HTMLDivElement>(null);
  const roving = useRef<{ refresh(): void }>(undefined);
  useEffect(() => {
    if (list.current) roving.current ??= rovingFocus(list.current, ".hit-open");
    roving.current?.refresh();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isText(event.target)) return;
    const answer = { y: "same", n: "different" }[event.key.toLowerCase()] as "same" | "different" | undefined;
    const id = Number((event.target as HTMLElement).closest<HTMLElement>("[data-photo]")?.dataset.photo ?? Number.NaN);
    const photo = people.photos.peek().get(id);
    if (!answer || !photo) return;
    event.preventDefault();
    void search.say(photo, answer);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons in it, each of which says which
    <div class="search-bands" ref={list} onKeyDown={onKeyDown}>
      {BANDS.map((band) => {
        const inBand = found.filter((hit) => hit.band === band);
        return (
          inBand.length > 0 && (
            <OneBand
              key={band}
              band={band}
              search={search}
              found={inBand}
              open={open}
              isOnly={inBand.length === found.length}
            />
          )
        );
      })}
    </div>
  );
}

function OneBand({
  band,
  search,
  found,
  open,
  isOnly,
}: BandsProps & { readonly band: Band; readonly isOnly: boolean }) {
  const [count, setCount] = useState(PAGE);
  const { title, note } = w.bands[band];
  const more = Math.min(PAGE, found.length - count);
  const body = (
    <>
      <p class="note">{note}</p>
      <ul class="hits" aria-labelledby={`band-${band}`}>
        {found.slice(0, count).map((hit) => (
          <Hit key={hit.photo} hit={hit} search={search} open={open} />
        ))}
      </ul>
      {more > 0 && (
        <button type="button" onClick={() => setCount(count + PAGE)}>
          {w.more(more)}
        </button>
      )}
    </>
  );
  const heading = (
    <h3 id={`band-${band}`}>
      {title} <span class="note">{w.amount(found.length)}</span>
    </h3>
  );
  if (band !== "unlikely") {
    return (
      <section class="band">
        {heading}
        {body}
      </section>
    );
  }
  return (
    <details class="band" open={isOnly}>
      <summary>{heading}</summary>
      {body}
    </details>
  );
}

interface HitProps {
  readonly hit: Found;
  readonly search: Search;
  open(photo: PhotoId): void;
}

function Hit({ hit, search, open }: HitProps) {
  const photo = people.photos.value.get(hit.photo);
  if (!photo) return null;
  const said = search.said(hit.photo);
  const remarks = remarksOn(photo, pile.ofHash(photo.hash));
  const name = shortName(photo.name);
  return (
    <li class={said ? `hit ${said}` : "hit"}>
      <button
        type="button"
        class="hit-open"
        data-photo={hit.photo}
        aria-keyshortcuts="Y N Enter"
        aria-label={w.open(name, said ? saidOf(said) : w.bands[hit.band].title, remarks.join(", "))}
        title={w.hover(percentOf(hit.probability), likenessOf(hit.score))}
        onClick={() => open(hit.photo)}
      >
        <Crop photo={photo} alt="" />
      </button>
      <TakenFor photo={photo} />
      {remarks.length > 0 && <p class="note hit-remarks">{remarks.join(", ")}</p>}
      <div class="hit-answers">
        {(["same", "different"] as const).map((answer) => (
          <button
            key={answer}
            type="button"
            tabIndex={-1}
            aria-pressed={said === answer}
            aria-label={(answer === "same" ? w.yesTo : w.noTo)(name)}
            onClick={() => void search.say(photo, answer)}
          >
            {answer === "same" ? w.yes : w.no}
          </button>
        ))}
      </div>
    </li>
  );
}

/** Whom somebody with a name is taken for. */
export function TakenFor({ photo }: { readonly photo: GalleryPhoto }) {
  const name = people.nameOf(photo.person);
  return name === undefined ? null : <p class="hit-name">{w.takenFor(name, photo.confirmed ?? false)}</p>;
}

export function saidOf(said: "same" | "different"): string {
  return said === "same" ? w.saidYes : w.saidNo;
}
