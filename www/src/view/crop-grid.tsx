import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PhotoId } from "webreid";
import { people } from "../app.ts";
import { Pick } from "./pick.tsx";
import { usePicking } from "./use-picking.ts";
import { useVirtual } from "./use-virtual.ts";

interface Props {
  readonly label: string;
  readonly photos: readonly PhotoId[];
  open(photo: PhotoId): void;
  takeOut?: (photos: readonly PhotoId[]) => unknown;
}

/** As in the style sheet, in pixels: where there is room, pictures are as large as they are kept. */
const SIZES = { small: { width: 68, height: 136 }, large: { width: 80, height: 160 } } as const;
const LARGE = 900;
const GAP = 8;

/** All pictures of somebody, or of nobody, however many. */
export function CropGrid({ label, photos, open, takeOut }: Props) {
  const [room, setRoom] = useState(600);
  const root = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<PhotoId>();
  const crop = SIZES[room < LARGE ? "small" : "large"];
  const columns = Math.max(1, Math.floor((room + GAP) / (crop.width + GAP)));
  const rows = Math.ceil(photos.length / columns);
  const { list, virtualizer, start } = useVirtual({
    count: rows,
    size: crop.height,
    gap: GAP,
    keyOf: (row) => row,
    held: held === undefined ? undefined : Math.floor(photos.indexOf(held) / columns),
  });
  usePicking(root, { all: () => photos, open, takeOut });
  useLayoutEffect(() => {
    const { current: list } = root;
    if (!list) return undefined;
    const observer = new ResizeObserver(([entry]) => setRoom(entry?.contentRect.width ?? 0));
    observer.observe(list);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      ref={root}
      class="crop-grid"
      onFocusIn={({ target }) =>
        setHeld(Number((target as Element).closest<HTMLElement>("[data-photo]")?.dataset.photo ?? -1))
      }
      onFocusOut={({ relatedTarget }) => {
        if (!root.current?.contains(relatedTarget as Node | null)) setHeld(undefined);
      }}
    >
      <ul ref={list} aria-label={label} style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {virtualizer.getVirtualItems().flatMap(({ index, start: at }) =>
          photos.slice(index * columns, (index + 1) * columns).map((id, column) => {
            const photo = people.photos.value.get(id);
            const [x, y] = [column * (crop.width + GAP), at - start];
            return (
              photo && (
                <li key={id} style={{ transform: `translate(${x}px, ${y}px)` }}>
                  <Pick photo={photo} />
                </li>
              )
            );
          }),
        )}
      </ul>
    </div>
  );
}
