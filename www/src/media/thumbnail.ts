/** Of the longer side, in pixels. */
export const THUMBNAIL = 360;
const QUALITY = 0.82;

/** A picture as a JPEG, smaller where `scale` is less than 1. */
export async function jpegOf(
  picture: ImageBitmap | OffscreenCanvas | VideoFrame,
  scale = 1,
  quality = QUALITY,
): Promise<Blob> {
  const by = Math.min(1, scale);
  const [width, height] =
    "displayWidth" in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
  const resizeWidth = Math.max(1, Math.floor(width * by));
  const resizeHeight = Math.max(1, Math.floor(height * by));
  // Drawn smaller, a picture would be kept by the browser, some megabytes of each, for the case that it is drawn again.
  const small = await createImageBitmap(picture, { resizeWidth, resizeHeight, resizeQuality: "high" });
  const canvas = new OffscreenCanvas(small.width, small.height);
  try {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser cannot draw pictures in the background.");
    context.drawImage(small, 0, 0);
    return await canvas.convertToBlob({ type: "image/jpeg", quality });
  } finally {
    small.close();
    // Or those of a thousand pictures wait for garbage collection.
    canvas.width = canvas.height = 0;
  }
}
