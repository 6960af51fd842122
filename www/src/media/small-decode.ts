// JPEGs decoded to a fraction of their size: whole, a photo of a phone takes 50 MB, and all of it is looked at to be made small.
import type { Size } from "./look.ts";

/** A JPEG is decoded to so many eighths of its sides, and not to less than one. */
const EIGHTHS = 8;

/** A picture made smaller, which is to be closed, and what the upright picture measures. */
export interface SmallPicture extends Size {
  readonly frame: VideoFrame;
}

/** At least twice as large as it will be shown; undefined where that is no smaller, or where the browser cannot do it. */
export async function decodeSmall(file: Blob, jpeg: Size, side: number): Promise<SmallPicture | undefined> {
  const scale = Math.max(1 / EIGHTHS, (2 * side) / Math.max(jpeg.width, jpeg.height));
  // A browser that does not know which way up a frame is would show photos of phones lying on their side.
  if (scale > 0.5 || typeof ImageDecoder === "undefined" || !("rotation" in VideoFrame.prototype)) return undefined;
  const [desiredWidth, desiredHeight] = [Math.ceil(jpeg.width * scale), Math.ceil(jpeg.height * scale)];
  const decoder = new ImageDecoder({ type: "image/jpeg", data: file.stream(), desiredWidth, desiredHeight });
  try {
    const { image: frame } = await decoder.decode();
    const isTurned = frame.displayWidth !== frame.codedWidth;
    const { width, height } = jpeg;
    return { frame, ...(isTurned ? { width: height, height: width } : { width, height }) };
  } catch {
    // What is wrong with it is told where it is decoded whole.
    return undefined;
  } finally {
    decoder.close();
  }
}
