import type { PersonId, PhotoId } from "webreid";
import { Sheet } from "./sheet.tsx";

interface Props {
  readonly of: { readonly person: PersonId } | { readonly photo: PhotoId };
}

export function SearchSheet({ of }: Props) {
  return <Sheet title={JSON.stringify(of)}>…</Sheet>;
}
