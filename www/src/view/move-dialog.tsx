import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PhotoId } from "webreid";
import { people } from "../app.ts";
import { labelOf, move, type Place, whoIs } from "../sorting.ts";
import { sizeOf } from "../state/people.ts";
import { words } from "../words.ts";
import { Crop } from "./crop.tsx";

/** As many as one looks through; typing finds the others. */
const MOST = 40;

const moving = signal<readonly PhotoId[] | undefined>(undefined);

/** Asks where photos shall go. */
export function startMove(photos: readonly PhotoId[]): void {
  moving.value = photos;
}

export function MoveDialog() {
  const photos = moving.value;
  return photos ? <Moving key={photos.join()} photos={photos} /> : null;
}

interface Choice {
  readonly to: Place;
  readonly label: string;
  readonly cover: PhotoId | undefined;
  readonly count: number | undefined;
}

/** Whom to choose from: those whose names hold what was typed, but whose photos all of these are, then somebody new. */
function choices(photos: readonly PhotoId[], typed: string): Choice[] {
  const wanted = typed.trim().toLowerCase();
  const theirs = new Set(photos.map((photo) => people.photos.value.get(photo)?.person));
  const found = people.all.value
    .filter(({ id }) => (theirs.size > 1 || !theirs.has(id)) && labelOf(id).toLowerCase().includes(wanted))
    .sort((a, b) => Number(b.name !== undefined) - Number(a.name !== undefined))
    .slice(0, MOST)
    .map((person) => ({
      to: { person: person.id },
      label: labelOf(person.id),
      cover: person.cover,
      count: sizeOf(person),
    }));
  const fresh: Choice[] =
    wanted === ""
      ? [{ to: "new", label: words.picks.moveNew, cover: undefined, count: undefined }]
      : whoIs(typed)
        ? []
        : [{ to: { name: typed }, label: words.picks.moveNamed(typed.trim()), cover: undefined, count: undefined }];
  const nobody: Choice[] =
    wanted === "" ? [{ to: "nobody", label: words.picks.moveNobody, cover: undefined, count: undefined }] : [];
  return [...found, ...fresh, ...nobody];
}

function Moving({ photos }: { readonly photos: readonly PhotoId[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const found = choices(photos, typed);
  const close = () => {
    moving.value = undefined;
  };
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    void move(photos, choice.to);
  };
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    dialog.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <dialog
      ref={dialog}
      class="ask moving"
      aria-labelledby="move-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
      onKeyDown={(event) => {
        event.stopPropagation();
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
          event.preventDefault();
          setAt((at + step + found.length) % Math.max(1, found.length));
        } else if (event.key === "Enter") {
          event.preventDefault();
          choose(found[at]);
        }
      }}
    >
      <h2 id="move-title">{words.picks.moveTitle(photos.length)}</h2>
      <input
        role="combobox"
        aria-label={words.picks.moveLabel}
        placeholder={words.picks.moveLabel}
        aria-expanded="true"
        aria-controls="move-list"
        aria-activedescendant={found[at] ? `move-${at}` : undefined}
        autocomplete="off"
        maxLength={100}
        value={typed}
        onInput={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setAt(0);
        }}
      />
      <div id="move-list" class="choices" role="listbox" aria-label={words.picks.moveList}>
        {found.map((choice, i) => {
          const cover = choice.cover === undefined ? undefined : people.photos.value.get(choice.cover);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the field's
            <div
              key={choice.label}
              id={`move-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === at}
              title={choice.label}
              onClick={() => choose(choice)}
            >
              <span class="cover">{cover && <Crop photo={cover} alt="" />}</span>
              <span class="cut">{choice.label}</span>
              {choice.count !== undefined && <span class="note">{choice.count}</span>}
            </div>
          );
        })}
      </div>
    </dialog>
  );
}
