import { pile } from "../app.ts";
import { Sheet } from "./sheet.tsx";

export function PhotoSheet({ source }: { readonly source: number }) {
  return <Sheet title={pile.get(source)?.path ?? ""}>…</Sheet>;
}
