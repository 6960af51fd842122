import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { GalleryPerson, PersonId, PhotoId } from "webreid";
import { people, sheet } from "../app.ts";
import { dragged } from "../sorting.ts";
import { words } from "../words.ts";
import { PersonRow } from "./person-row.tsx";
import { usePicking } from "./use-picking.ts";
import { useVirtual } from "./use-virtual.ts";

/** As in the style sheet, in pixels: from which width of the list on a row's head stands beside its pictures, and these are large. */
const WIDE = 620;
const LARGE = 1100;
const HEAD = 264;
const PADDING = 12;
const GAP = { crop: 6, row: 8 } as const;
const SIZES = {
  narrow: { crop: 48, row: 196 },
  wide: { crop: 56, row: 138 },
  large: { crop: 72, row: 170 },
} as const;

/** Everybody, a row each, with as many pictures as fit. */
export function PeopleList() {
  const root = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const [held, setHeld] = useState<PersonId>();
  const [isPointed, setPointed] = useState(false);
  const shown = useOrder(people.all.value, isPointed || held !== undefined || dragged.value !== undefined);
  const isWide = width >= WIDE;
  const { crop, row } = SIZES[width >= LARGE ? "large" : isWide ? "wide" : "narrow"];
  const strip = width - 2 * PADDING - (isWide ? HEAD : 0);
  const slots = Math.max(1, Math.floor((strip + GAP.crop) / (crop + GAP.crop)));
  const { list, virtualizer, start } = useVirtual({
    count: shown.length,
    size: row,
    gap: GAP.row,
    keyOf: (index) => shown[index]?.id ?? index,
    held: held === undefined ? undefined : shown.findIndex(({ id }) => id === held),
  });
  usePicking(root, { open: openPersonOf });
  useLayoutEffect(() => {
    const { current } = root;
    if (!current) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      ref={root}
      class="people-list"
      onPointerEnter={({ pointerType }) => setPointed(pointerType === "mouse")}
      onPointerLeave={() => setPointed(false)}
      onFocusIn={({ target }) =>
        setHeld(Number((target as Element).closest<HTMLElement>("[data-person]")?.dataset.person) || undefined)
      }
      onFocusOut={({ relatedTarget }) => {
        if (!root.current?.contains(relatedTarget as Node | null)) setHeld(undefined);
      }}
    >
      <ul ref={list} aria-label={words.groups.list} style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {virtualizer.getVirtualItems().map(({ key, index, start: at }) => {
          const person = shown[index];
          return (
            person && (
              <PersonRow
                key={key}
                person={person}
                index={index}
                of={shown.length}
                top={at - start}
                slots={slots}
                all={shown}
                measure={virtualizer.measureElement}
              />
            )
          );
        })}
      </ul>
    </div>
  );
}

export function openPerson(person: PersonId): void {
  sheet.value = { is: "person", person };
}

function openPersonOf(photo: PhotoId): void {
  const person = people.photos.peek().get(photo)?.person;
  if (person !== undefined) openPerson(person);
}

/** The rows in order: the biggest first, but nothing jumps about while the pointer or the focus is among them. */
function useOrder(sorted: readonly GalleryPerson[], isHeld: boolean): readonly GalleryPerson[] {
  const order = useRef<readonly PersonId[]>([]);
  return useMemo(() => {
    if (!isHeld) {
      order.current = sorted.map(({ id }) => id);
      return sorted;
    }
    const byId = people.byId.peek();
    const known = new Set(order.current);
    order.current = [
      ...order.current.filter((id) => byId.has(id)),
      ...sorted.flatMap(({ id }) => (known.has(id) ? [] : id)),
    ];
    return order.current.map((id) => byId.get(id) as GalleryPerson);
  }, [sorted, isHeld]);
}
