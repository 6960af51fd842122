/** Marks a drag as one of the page's own photos, which is no file from outside. */
export const PHOTO_TYPE = "application/x-webreid-photo";

/** Lets the photo be dragged by this element. */
export function dragPhoto(handle: HTMLElement, photo: { readonly id: number }): void {
  handle.draggable = true;
  handle.addEventListener("dragstart", (event) => {
    event.dataTransfer?.setData(PHOTO_TYPE, String(photo.id));
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "copyMove";
    event.stopPropagation();
  });
}

/** Calls back with the id of a photo that is dropped on the element; it has the class `over` while one hovers. */
export function takePhoto(target: HTMLElement, onPhoto: (id: number) => void): void {
  const isPhoto = (event: DragEvent) => event.dataTransfer?.types.includes(PHOTO_TYPE) ?? false;
  target.addEventListener("dragover", (event) => {
    if (!isPhoto(event)) return;
    event.preventDefault();
    target.classList.add("over");
  });
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget as Node | null)) target.classList.remove("over");
  });
  target.addEventListener("drop", (event) => {
    if (!isPhoto(event)) return;
    event.preventDefault();
    event.stopPropagation();
    target.classList.remove("over");
    onPhoto(Number(event.dataTransfer?.getData(PHOTO_TYPE)));
  });
}
