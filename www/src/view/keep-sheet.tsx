import { Sheet } from "./sheet.tsx";

export function KeepSheet() {
  return <Sheet title="Keep">…</Sheet>;
}
