import type { PersonId } from "webreid";
import { SearchButton } from "./search-button.tsx";
import { Sheet } from "./sheet.tsx";

export function PersonSheet({ person }: { readonly person: PersonId }) {
  return (
    <Sheet title={`Person ${person}`}>
      <SearchButton of={{ person }} label="Look for more" />
    </Sheet>
  );
}
