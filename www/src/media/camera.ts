// Which camera took a photo, where its name, its folder or the file tells.

/** As the data sets of the field name their crops: `0042_c3s1_000151_01.jpg` is person 42 by camera 3. */
const IN_NAME = /(?:^|[/_-])\d{1,5}_c(\d{1,2})(?=[s_])/;
/** A folder that says that it is a camera's: "cam2", "Camera 3", "ch04". */
const IN_FOLDER = /^(?:cam|camera|kamera|c|ch|channel|cctv)[ _-]?\d{1,3}$/i;

/** `model`: as the file tells it. */
export function cameraOf(path: string, model: string | undefined): string | undefined {
  const [named] = IN_NAME.exec(path)?.slice(1) ?? [];
  const folder = path
    .split("/")
    .slice(0, -1)
    .findLast((part) => IN_FOLDER.test(part));
  return named ? `camera ${named}` : (folder ?? model);
}
