/** A name or a number that stands for a person or a camera; 7 and "7" are the same. */
export type Name = string | number;

export interface Indexed {
  /** Of each value the number of its name, from 0 without gaps; −1 where there is none. */
  readonly indices: number[];
  /** By their numbers. */
  readonly names: readonly Name[];
}

/** Numbers names in the order they first appear, or in `order`. */
export function indexed(values: readonly (Name | null | undefined)[], order?: (a: Name, b: Name) => number): Indexed {
  const known = new Map<string, Name>();
  for (const value of values) {
    if (isName(value) && !known.has(String(value))) known.set(String(value), value);
  }
  const names = [...known.values()];
  if (order) names.sort(order);
  const places = new Map(names.map((name, place) => [String(name), place]));
  return { indices: values.map((value) => (isName(value) ? (places.get(String(value)) as number) : -1)), names };
}

function isName(value: Name | null | undefined): value is Name {
  return value !== undefined && value !== null;
}
