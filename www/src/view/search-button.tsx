import { sheet } from "../app.ts";
import type { Wanted } from "../state/search.ts";
import { words } from "../words.ts";

interface Props {
  readonly of: Wanted;
  readonly label?: string;
}

/** Looks for somebody on all other photos. */
export function SearchButton({ of, label = words.search.button }: Props) {
  return (
    <button
      type="button"
      class="search-button"
      onClick={() => {
        sheet.value = { is: "search", of };
      }}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm3.4 7.9 3.1 3.1" />
      </svg>
      {label}
    </button>
  );
}
