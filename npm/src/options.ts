import { ReidError } from "./errors.js";

/** Of each option what is good, and how that is called. */
export type Rules<T> = {
  readonly [K in keyof Required<T>]: readonly [isGood: (value: unknown) => boolean, wanted: string];
};

/** Refuses what is no such object, a key that none of the rules is for, and a value that is not good; undefined is always. */
export function checkOptions<T extends object>(name: string, options: unknown, rules: Rules<T>): void {
  const keys = Object.keys(rules);
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ReidError("bad-input", `\`${name}\` must be an object with any of ${keys.join(", ")}.`);
  }
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, key)) {
      throw new ReidError("bad-input", `\`${name}\` has no "${key}", but ${keys.join(", ")}.`);
    }
    const [isGood, wanted] = rules[key as keyof T];
    if (value !== undefined && !isGood(value)) {
      throw new ReidError("bad-input", `\`${name}.${key}\` must be ${wanted}, not ${shown(value)}.`);
    }
  }
}

/** A rule that leaves these. */
export function oneOf(...values: readonly (string | boolean)[]): readonly [(value: unknown) => boolean, string] {
  const names = values.map((value) => JSON.stringify(value));
  return [(value) => values.includes(value as string), `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`];
}

export const COUNT = [
  (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1,
  "a whole number of at least 1",
] as const;
export const A_FUNCTION = [(value: unknown) => typeof value === "function", "a function"] as const;
export const A_SIGNAL = [isSignal, "an AbortSignal"] as const;
/** Looked into by what takes it. */
export const ANYTHING = [() => true, ""] as const;

/** A null-prototype object and the like have no text of their own. */
function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** Also one of another frame. */
function isSignal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value;
}
