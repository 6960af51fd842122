import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { GalleryPhoto, PersonBox } from "webreid";
import { words } from "../words.ts";
import {
  between,
  byKey,
  CORNERS,
  type Corner,
  isLargeEnough,
  moved,
  type Point,
  resized,
  type Size,
} from "./box-drawing.ts";
import { nameOn } from "./name-on.ts";

/** A box that is not kept yet: somebody new, or another place for who is there. */
export interface Draft {
  readonly box: PersonBox;
  readonly of?: GalleryPhoto | undefined;
}

interface Props {
  /** Of the photo, in pixels. */
  readonly size: Size;
  readonly url: string | undefined;
  readonly alt: string;
  readonly people: readonly GalleryPhoto[];
  /** Whether a box is there to be changed; otherwise it leads to whom it shows. */
  readonly isChanging: boolean;
  readonly draft: Draft | undefined;
  /** The draft is being looked at, and stays as it is. */
  readonly isPending: boolean;
  onDraft(draft: Draft | undefined): void;
  /** The box is as it should be. */
  onKeep(draft: Draft): void;
  onRemove(photo: GalleryPhoto): void;
  onOpen(photo: GalleryPhoto): void;
}

/** What a pointer is doing with a box. */
interface Gesture {
  readonly from: Point;
  readonly base: PersonBox | undefined;
  readonly corner: Corner | undefined;
  readonly of: GalleryPhoto | undefined;
  /** The box was being changed by keys: it goes on. */
  readonly isOfDraft: boolean;
  hasMoved: boolean;
}

/** Less is a click, in pixels of the screen. */
const MOVED = 4;

/** A photo, large, with a box around everybody on it. A mouse draws another at any time, a finger where boxes are changed. */
export function PhotoStage(props: Props) {
  const { size, url, alt, people, isChanging, draft, isPending, onDraft, onKeep, onRemove, onOpen } = props;
  const stage = useRef<HTMLDivElement>(null);
  const [gesture, setGesture] = useState<Gesture>();
  useLayoutEffect(() => {
    stage.current?.style.setProperty("--proportion", String(size.width / size.height));
  }, [size.width, size.height]);

  const pointOf = ({ clientX, clientY }: PointerEvent): Point => {
    const { left, top, width } = (stage.current as HTMLElement).getBoundingClientRect();
    const scale = size.width / width;
    return { x: (clientX - left) * scale, y: (clientY - top) * scale };
  };
  const onPointerDown = (event: PointerEvent) => {
    const target = event.target as HTMLElement;
    if (event.button !== 0) return;
    if (event.pointerType === "touch" && !isChanging && !draft) return;
    const element = target.closest<HTMLElement>(".box");
    const isOfDraft = element?.classList.contains("draft") ?? false;
    if (element && !isChanging && !isOfDraft) return;
    const of = isOfDraft ? draft?.of : people.find(({ id }) => String(id) === element?.dataset.photo);
    const corner = target.closest<HTMLElement>("[data-corner]")?.dataset.corner as Corner | undefined;
    const base = isOfDraft ? draft?.box : of?.box;
    stage.current?.setPointerCapture(event.pointerId);
    setGesture({ from: pointOf(event), base, corner, of, isOfDraft, hasMoved: false });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (!gesture) return;
    const { from, base, corner, of } = gesture;
    const to = pointOf(event);
    const by = { x: to.x - from.x, y: to.y - from.y };
    const scale = (stage.current?.clientWidth ?? 1) / size.width;
    gesture.hasMoved ||= Math.hypot(by.x, by.y) * scale > MOVED;
    if (!gesture.hasMoved) return;
    const box = !base ? between(from, to, size) : corner ? resized(base, corner, by, size) : moved(base, by, size);
    onDraft({ box, of });
  };
  const onPointerUp = () => {
    if (!gesture) return;
    setGesture(undefined);
    const { hasMoved, of, base, isOfDraft } = gesture;
    // What is pressed and let go is chosen: the click itself goes to the photo, which has the pointer.
    if (!hasMoved && base && !isOfDraft) onDraft({ box: base, of });
    if (!hasMoved || !draft || isOfDraft) return;
    if (isLargeEnough(draft.box, size)) onKeep(draft);
    else onDraft(undefined);
  };
  const onPointerCancel = () => {
    if (gesture && !gesture.isOfDraft) onDraft(undefined);
    setGesture(undefined);
  };
  const onDraftKey = (event: KeyboardEvent) => {
    if (!draft || event.altKey || event.ctrlKey || event.metaKey) return;
    const box = byKey(draft.box, event.key, event.shiftKey, size);
    if (box) onDraft({ ...draft, box });
    else if (event.key === "Enter") onKeep(draft);
    else if (event.key === "Escape") onDraft(undefined);
    else if (draft.of && isDelete(event)) onRemove(draft.of);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={stage}
      class={isChanging || draft ? "stage changing" : "stage"}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerCancel}
    >
      {url && <img src={url} alt={alt} draggable={false} />}
      {people.map((photo) => {
        const { id, box } = photo;
        if (!box || draft?.of?.id === id) return null;
        const name = nameOn(photo);
        return (
          <div key={id} class={photo.confirmed ? "box confirmed" : "box"} data-photo={id} style={placeOf(box, size)}>
            <button
              type="button"
              class="box-name"
              aria-label={isChanging ? words.photos.changeBox(name) : name}
              onClick={() => {
                if (isChanging) onDraft({ box, of: photo });
                else onOpen(photo);
              }}
              onKeyDown={(event) => {
                if (!isDelete(event)) return;
                event.preventDefault();
                onRemove(photo);
              }}
            >
              <span>{name}</span>
            </button>
            {isChanging && <Corners />}
          </div>
        );
      })}
      {draft && (
        <div class="box draft" style={placeOf(draft.box, size)}>
          <DraftName draft={draft} isFocused={!gesture && !isPending} onKeyDown={onDraftKey} />
          <Corners />
        </div>
      )}
    </div>
  );
}

interface DraftNameProps {
  readonly draft: Draft;
  readonly isFocused: boolean;
  onKeyDown(event: KeyboardEvent): void;
}

function DraftName({ draft, isFocused, onKeyDown }: DraftNameProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (isFocused) button.current?.focus();
  }, [isFocused]);
  const name = draft.of ? nameOn(draft.of) : words.photos.newBox;
  return (
    <button
      ref={button}
      type="button"
      class="box-name"
      aria-label={name}
      aria-describedby="box-help"
      onKeyDown={onKeyDown}
    >
      <span>{name}</span>
    </button>
  );
}

function isDelete({ key }: KeyboardEvent): boolean {
  return key === "Delete" || key === "Backspace";
}

function Corners() {
  return CORNERS.map((corner) => <span key={corner} class="corner" data-corner={corner} />);
}

function placeOf({ x, y, width, height }: PersonBox, photo: Size) {
  return {
    left: `${(100 * x) / photo.width}%`,
    top: `${(100 * y) / photo.height}%`,
    width: `${(100 * width) / photo.width}%`,
    height: `${(100 * height) / photo.height}%`,
  };
}
