/** A value that nobody changes, all the way down; typed arrays stay what they are. */
export type Frozen<T> = T extends ArrayBufferView | string | number | boolean | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Frozen<Item>[]
    : { readonly [Key in keyof T]: Frozen<T[Key]> };
