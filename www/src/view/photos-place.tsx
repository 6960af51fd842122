import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { pile, reading, removal, sheet } from "../app.ts";
import type { Source } from "../state/pile.ts";
import { words } from "../words.ts";
import { PhotoWithBoxes } from "./photo-with-boxes.tsx";
import { useVirtual } from "./use-virtual.ts";
import "../style/photos.css";

const FILTERS = ["all", "people", "nobody", "unread"] as const;
type Filter = (typeof FILTERS)[number];

/** In pixels: of a tile at the least, on phones too; between tiles; of what stands below a picture. */
const [TILES, GAP, CAPTION] = [{ phone: 150, window: 190, wide: 250 }, 12, 56];
/** Height of a picture by its width. */
const PROPORTION = 0.75;

/** The photos as the user gave them, with boxes around the people on them. */
export function PhotosPlace() {
  const [filter, setFilter] = useState<Filter>("all");
  const [selected, setSelected] = useState<ReadonlySet<number>>();
  const all = pile.shown.value;
  const by = new Map<Filter, Source[]>(FILTERS.map((name) => [name, all.filter((source) => isIn(source, name))]));
  const photos = by.get(filter) ?? all;
  const shown = photos.length > 0 ? filter : "all";
  const remove = (ids: ReadonlySet<number>) => {
    setSelected((now) => now && new Set([...now].filter((id) => !ids.has(id))));
    void removal.remove(ids);
  };
  const offered = FILTERS.filter((name) => name === "all" || (by.get(name)?.length ?? 0) > 0);
  return (
    <section class="photos" aria-labelledby="photos-heading">
      <header class="row">
        <h2 id="photos-heading" class={offered.length > 2 ? "unseen" : ""}>
          {words.photos.counted(all.length)}
        </h2>
        {offered.length > 2 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset's legend cannot be laid out in a row
          <div class="filters" role="group" aria-label={words.photos.filter}>
            {offered.map((name) => (
              <button key={name} type="button" aria-pressed={shown === name} onClick={() => setFilter(name)}>
                {words.photos.filters[name](by.get(name)?.length ?? 0)}
              </button>
            ))}
          </div>
        )}
        <span class="grow" />
        {selected ? (
          <>
            <span class="note">{words.photos.selected(selected.size)}</span>
            <button type="button" onClick={() => setSelected(new Set(photos.map(({ id }) => id)))}>
              {words.photos.selectAll}
            </button>
            <button type="button" disabled={selected.size === 0} onClick={() => remove(selected)}>
              {words.photos.removeSelected}
            </button>
            <button type="button" class="primary" onClick={() => setSelected(undefined)}>
              {words.photos.selectDone}
            </button>
          </>
        ) : (
          <>
            <button type="button" onClick={() => setSelected(new Set())}>
              {words.photos.select}
            </button>
            <button type="button" onClick={() => remove(new Set(all.map(({ id }) => id)))}>
              {words.photos.removeAll}
            </button>
          </>
        )}
      </header>
      <PhotoGrid
        photos={photos.length > 0 ? photos : all}
        selected={selected}
        onSelect={(id) => setSelected((now) => toggled(now ?? new Set(), id))}
        onRemove={remove}
      />
    </section>
  );
}

interface GridProps {
  readonly photos: readonly Source[];
  readonly selected: ReadonlySet<number> | undefined;
  onSelect(id: number): void;
  onRemove(ids: ReadonlySet<number>): void;
}

/** One stop of the Tab key; arrow keys move in it, and only what is seen is there. */
function PhotoGrid({ photos, selected, onSelect, onRemove }: GridProps) {
  const [width, setWidth] = useState(1000);
  const [at, setAt] = useState(0);
  const isFocusWanted = useRef(false);
  const least = TILES[width < 600 ? "phone" : width < 1400 ? "window" : "wide"];
  const columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const tile = Math.floor((width - GAP * (columns - 1)) / columns);
  const height = Math.round(tile * PROPORTION) + CAPTION;
  const current = Math.min(at, photos.length - 1);
  const { list, virtualizer, start } = useVirtual({
    count: Math.ceil(photos.length / columns),
    size: height,
    gap: GAP,
    keyOf: (row) => row,
    held: Math.floor(current / columns),
  });
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, height]);
  useLayoutEffect(() => {
    const { current: element } = list;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 1000));
    observer.observe(element);
    return () => observer.disconnect();
  }, [list]);
  // With the change itself: an effect of the drawing before would take the wish for its own.
  useLayoutEffect(() => {
    if (!isFocusWanted.current) return;
    isFocusWanted.current = false;
    const button = list.current?.querySelector<HTMLElement>("button[tabindex='0']");
    button?.focus();
    button?.scrollIntoView({ block: "nearest" });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const photo = photos[current];
    if (event.altKey || event.ctrlKey || event.metaKey || !photo) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      isFocusWanted.current = true;
      onRemove(selected && selected.size > 0 ? selected : new Set([photo.id]));
      return;
    }
    const to = destination(event.key, current, columns, photos.length);
    if (to === undefined) return;
    event.preventDefault();
    isFocusWanted.current = true;
    setAt(to);
  };
  return (
    <ul
      ref={list}
      class="photo-grid"
      aria-label={words.photos.heading}
      onKeyDown={onKeyDown}
      style={{ height: `${virtualizer.getTotalSize()}px` }}
    >
      {virtualizer.getVirtualItems().flatMap((row) =>
        photos.slice(row.index * columns, (row.index + 1) * columns).map((source, column) => {
          const index = row.index * columns + column;
          const isSelected = selected?.has(source.id);
          return (
            <li
              key={source.id}
              class="source"
              aria-setsize={photos.length}
              aria-posinset={index + 1}
              style={{
                width: `${tile}px`,
                height: `${height}px`,
                transform: `translate(${column * (tile + GAP)}px, ${row.start - start}px)`,
              }}
            >
              <button
                type="button"
                tabIndex={index === current ? 0 : -1}
                aria-label={words.photos.open(source.path, stateOf(source))}
                aria-pressed={selected && isSelected}
                onFocus={() => setAt(index)}
                onClick={() => {
                  if (selected) onSelect(source.id);
                  else sheet.value = { is: "photo", source: source.id };
                }}
              >
                <PhotoWithBoxes source={source} />
                <span class="name">{source.path.split("/").at(-1)}</span>
                <span class="state">{stateOf(source)}</span>
              </button>
            </li>
          );
        }),
      )}
    </ul>
  );
}

/** In words: how many are on it, or why that is not known. */
function stateOf(source: Source): string {
  if (source.state !== "read") return words.photos[source.state];
  const { length } = reading.peopleOn(source);
  return length === 0 ? words.photos.nobody : words.photos.people(length);
}

function isIn(source: Source, filter: Filter): boolean {
  if (filter === "all") return true;
  if (source.state !== "read") return filter === "unread";
  return filter === (reading.peopleOn(source).length > 0 ? "people" : "nobody");
}

function destination(key: string, at: number, columns: number, count: number): number | undefined {
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: Math.min(at + columns, at >= count - columns ? at : count - 1),
    ArrowUp: at - columns,
    Home: 0,
    End: count - 1,
    PageDown: Math.min(count - 1, at + 4 * columns),
    PageUp: Math.max(0, at - 4 * columns),
  }[key];
  return to !== undefined && to >= 0 && to < count ? to : undefined;
}

function toggled(set: ReadonlySet<number>, id: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}
