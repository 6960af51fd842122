import { Sheet } from "./sheet.tsx";

export function LearningSheet() {
  return <Sheet title="Learning">…</Sheet>;
}
