// On what finding people is measured.
import { SETTINGS, type Setting } from "../plan.ts";

/** Photos as many cameras and phones hand them over when asked for small ones. */
export const PHOTO = { width: 1280, height: 960 };

/** Of NanoDet-g. */
export const SIDE = 416;

export interface AskedDetection {
  readonly settings: readonly Setting[] | undefined;
  readonly start: boolean;
  /** What the address asks for and there is not. */
  readonly unknown: readonly string[];
}

/** What the page's address asks for: `?detect=cpu1,cpu2&start`. */
export function askedDetection(search: string): AskedDetection {
  const parameters = new URLSearchParams(search);
  const keys = parameters.get("detect")?.split(",").filter(Boolean);
  return {
    settings: keys && SETTINGS.filter(({ key }) => keys.includes(key)),
    start: keys !== undefined && parameters.has("start"),
    unknown: (keys ?? []).filter((key) => !SETTINGS.some((setting) => setting.key === key)),
  };
}
