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
  const canvas = new OffscreenCanvas(Math.max(1, width * by), Math.max(1, height * by));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw pictures in the background.");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}
