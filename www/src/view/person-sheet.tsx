import type { PersonId } from "webreid";
import { Sheet } from "./sheet.tsx";

export function PersonSheet({ person }: { readonly person: PersonId }) {
  return <Sheet title={`Person ${person}`}>…</Sheet>;
}
