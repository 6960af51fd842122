import { useEffect, useRef, useState } from "preact/hooks";
import type { GalleryPhoto, PersonId } from "webreid";
import { boxes, people, pile, reading, removal, sheet } from "../app.ts";
import { isVideo } from "../media/video.ts";
import type { Source } from "../state/pile.ts";
import { words } from "../words.ts";
import { boxInTheMiddle } from "./box-drawing.ts";
import { Crop } from "./crop.tsx";
import { nameOn } from "./name-on.ts";
import { type Draft, PhotoStage } from "./photo-stage.tsx";
import { Sheet } from "./sheet.tsx";
import { isText } from "./shortcuts.ts";
import "../style/photo.css";

interface Props {
  readonly source: number;
  /** Whom closing it leads back to. */
  readonly from: PersonId | undefined;
}

/** A photo or a video, large, with who is on it. */
export function PhotoSheet({ source: id, from }: Props) {
  const photos = pile.shown.value;
  const at = photos.findIndex((source) => source.id === id);
  const source = photos[at];
  const go = (to: number) => {
    const next = photos[to];
    if (next) sheet.value = { is: "photo", source: next.id, from };
  };
  const close = () => {
    sheet.value = from !== undefined && people.byId.peek().has(from) ? { is: "person", person: from } : undefined;
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isOnBox = (event.target as Element | null)?.closest?.(".draft, video");
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || isText(event.target) || isOnBox) return;
      if (event.key === "ArrowLeft") go(at - 1);
      if (event.key === "ArrowRight") go(at + 1);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  // It was removed: the next takes its place.
  const last = useRef(at);
  useEffect(() => {
    if (at >= 0) last.current = at;
    else if (photos.length === 0) close();
    else go(Math.min(last.current, photos.length - 1));
  });
  if (!source) return null;
  return (
    <Sheet
      title={nameOf(source)}
      isWide
      onClose={close}
      tools={
        <>
          <span class="note" aria-live="polite">
            {words.photos.place(at + 1, photos.length)}
          </span>
          <Step label={words.photos.previous} path="M10 3 5 8l5 5" isThere={at > 0} onClick={() => go(at - 1)} />
          <Step
            label={words.photos.next}
            path="m6 3 5 5-5 5"
            isThere={at < photos.length - 1}
            onClick={() => go(at + 1)}
          />
        </>
      }
    >
      {isVideo(source.file) ? (
        <VideoBody key={source.id} source={source} />
      ) : (
        <PhotoBody key={source.id} source={source} />
      )}
    </Sheet>
  );
}

interface StepProps {
  readonly label: string;
  readonly path: string;
  readonly isThere: boolean;
  onClick(): void;
}

/** Stays where it is at the ends: what has the focus keeps it. */
function Step({ label, path, isThere, onClick }: StepProps) {
  return (
    <button type="button" class="icon" aria-label={label} aria-disabled={!isThere} onClick={onClick}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
    </button>
  );
}

function PhotoBody({ source }: { readonly source: Source }) {
  const { width = 1, height = 1 } = source;
  const size = { width, height };
  const url = useUrl(source.file);
  const [isChanging, setChanging] = useState(false);
  const [draft, setDraft] = useState<Draft>();
  /** The box is being looked at. */
  const [isPending, setPending] = useState(false);
  const [isReading, setReading] = useState(false);
  const addButton = useRef<HTMLButtonElement>(null);
  const there = reading.peopleOn(source);
  const alt = words.photos.describe(nameOf(source), there.map(nameOn));
  const drop = () => {
    setDraft(undefined);
    addButton.current?.focus();
  };
  const keep = async ({ box, of }: Draft) => {
    setDraft({ box, of });
    setPending(true);
    addButton.current?.focus();
    await (of ? boxes.move(source, of, box) : boxes.add(source, box));
    setPending(false);
    setDraft(undefined);
  };
  const remove = (photo: GalleryPhoto) => {
    drop();
    void boxes.remove(photo);
  };
  const isDrafting = draft !== undefined && !isPending;
  return (
    <div class="photo-body">
      <figure class={isPending ? "pending" : ""}>
        <PhotoStage
          size={size}
          url={url}
          alt={alt}
          people={there}
          isChanging={isChanging}
          draft={draft}
          isPending={isPending}
          onDraft={(next) => {
            if (isPending) return;
            if (next) setDraft(next);
            else drop();
          }}
          onKeep={(next) => {
            if (!isPending) void keep(next);
          }}
          onRemove={remove}
          onOpen={open}
        />
      </figure>
      <div class="row">
        <button
          ref={addButton}
          type="button"
          onClick={() => {
            if (!draft) setDraft({ box: boxInTheMiddle(size) });
          }}
          aria-disabled={draft !== undefined}
        >
          {words.photos.addBox}
        </button>
        {isDrafting ? (
          <>
            <button type="button" class="primary" onClick={() => void keep(draft)}>
              {words.photos.keepBox}
            </button>
            <button type="button" onClick={drop}>
              {words.photos.dropBox}
            </button>
            {draft.of && (
              <button type="button" onClick={() => draft.of && remove(draft.of)}>
                {words.photos.removeBox}
              </button>
            )}
          </>
        ) : (
          <button type="button" aria-pressed={isChanging} onClick={() => setChanging(!isChanging)}>
            {isChanging ? words.photos.changeDone : words.photos.change}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => void removal.remove(new Set([source.id]))}>
          {words.photos.remove}
        </button>
        <span class="grow" />
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            checked={source.isWhole ?? false}
            aria-checked={source.isWhole ?? false}
            disabled={isReading || source.state !== "read"}
            onChange={({ currentTarget }) => {
              setReading(true);
              void boxes.readAs(source, currentTarget.checked).finally(() => setReading(false));
            }}
          />
          {words.photos.onePerson}
        </label>
      </div>
      <p class="note" id="box-help" hidden={!isDrafting && !isChanging}>
        {isDrafting ? words.photos.boxHelp : words.photos.changeHelp}
      </p>
      <PeopleOn heading={words.photos.onIt} source={source} there={there} />
    </div>
  );
}

function VideoBody({ source }: { readonly source: Source }) {
  const url = useUrl(source.file);
  const there = reading.peopleOn(source);
  return (
    <div class="photo-body">
      <figure>
        {url && (
          <video src={url} controls muted playsInline aria-label={words.photos.videoOf(nameOf(source), there.length)} />
        )}
      </figure>
      <div class="row">
        <button type="button" class="quiet" onClick={() => void removal.remove(new Set([source.id]))}>
          {words.photos.removeVideo}
        </button>
      </div>
      <PeopleOn heading={words.photos.inIt} source={source} there={there} />
    </div>
  );
}

interface PeopleOnProps {
  readonly heading: string;
  readonly source: Source;
  readonly there: readonly GalleryPhoto[];
}

/** Everybody on it, each of whom leads to the person. */
function PeopleOn({ heading, source, there }: PeopleOnProps) {
  return (
    <section class="people-on" aria-labelledby="people-on-heading">
      <h3 id="people-on-heading">{heading}</h3>
      {there.length === 0 ? (
        <p class="note">{source.state === "read" ? words.photos.nobody : words.photos[source.state]}</p>
      ) : (
        <ul aria-labelledby="people-on-heading">
          {there.map((photo) => (
            <li key={photo.id}>
              <button type="button" onClick={() => open(photo)}>
                <span class="crop-frame">
                  <Crop photo={photo} alt="" />
                </span>
                <span class="name">{nameOn(photo)}</span>
                {photo.name !== source.path && (
                  <span class="note">
                    {photo.name.startsWith(source.path) ? photo.name.slice(source.path.length) : photo.name}
                  </span>
                )}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Without its folder. */
function nameOf({ path }: Source): string {
  return path.split("/").at(-1) ?? path;
}

/** To the person; where nobody knows who it is, to those most alike. */
function open({ id, person }: GalleryPhoto): void {
  const isThere = person !== undefined && people.byId.peek().has(person);
  sheet.value = isThere ? { is: "person", person } : { is: "search", of: { photo: id } };
}

function useUrl(file: File): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url;
}
