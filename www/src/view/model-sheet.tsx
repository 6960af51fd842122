import { Sheet } from "./sheet.tsx";

export function ModelSheet() {
  return <Sheet title="Model">…</Sheet>;
}
