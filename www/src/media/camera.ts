import { Unreachable } from "../errors.ts";
import type { Source } from "../state/pile.ts";

/** As the data sets of the field name their crops: `0042_c3s1_000151_01.jpg` is person 42 by camera 3. */
const IN_NAME = /(?:^|[/_-])\d{1,5}_c(\d{1,2})(?=[s_])/;
/** A folder that says that it is a camera's: "cam2", "Camera 3", "ch04". */
const IN_FOLDER = /^(?:cam|camera|kamera|c|ch|channel|cctv)[ _-]?\d{1,3}$/i;

/** Which camera took a photo, and when, where its name, its folder or the file tells. Rejects with `Unreachable`. */
export async function cameraOf({ file, path }: Source): Promise<{ camera?: string; time?: number }> {
  const [named] = IN_NAME.exec(path)?.slice(1) ?? [];
  const folder = path
    .split("/")
    .slice(0, -1)
    .findLast((part) => IN_FOLDER.test(part));
  const { model, time } = await fromExif(file);
  const camera = named ? `camera ${named}` : (folder ?? model);
  return { ...(camera !== undefined && { camera }), ...(time !== undefined && { time }) };
}

async function fromExif(file: Blob): Promise<{ model?: string; time?: number }> {
  // Screenshots and crops mostly have none.
  if (!/jpe?g|heic|tiff/i.test(file.type)) return {};
  const { default: exifr } = await import("exifr/dist/mini.esm.mjs").catch((error: unknown) => {
    throw new Unreachable(error);
  });
  try {
    const tags = await exifr.parse(file, ["Make", "Model", "DateTimeOriginal"]);
    const names = [tags?.Make, tags?.Model].filter((name): name is string => typeof name === "string" && name !== "");
    const time = tags?.DateTimeOriginal instanceof Date ? tags.DateTimeOriginal.getTime() : undefined;
    return {
      ...(names.length > 0 && { model: names.join(" ").trim() }),
      ...(time !== undefined && Number.isFinite(time) && { time }),
    };
  } catch {
    // Damaged remarks are no reason to leave a photo out.
    return {};
  }
}
