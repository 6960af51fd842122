import { Sheet } from "./sheet.tsx";

export function CutOffSheet() {
  return <Sheet title="CutOff">…</Sheet>;
}
