import { sheet } from "../app.ts";
import { CutOffSheet } from "./cut-off-sheet.tsx";
import { KeepSheet } from "./keep-sheet.tsx";
import { LearningSheet } from "./learning-sheet.tsx";
import { ModelSheet } from "./model-sheet.tsx";
import { PersonSheet } from "./person-sheet.tsx";
import { PhotoSheet } from "./photo-sheet.tsx";
import { SearchSheet } from "./search-sheet.tsx";

/** The sheet that is laid over the page. */
export function ShownSheet() {
  const shown = sheet.value;
  switch (shown?.is) {
    case "photo":
      return <PhotoSheet source={shown.source} from={shown.from} />;
    case "person":
      return <PersonSheet key={shown.person} person={shown.person} />;
    case "search":
      return <SearchSheet of={shown.of} />;
    case "model":
      return <ModelSheet />;
    case "learning":
      return <LearningSheet />;
    case "cut-off":
      return <CutOffSheet />;
    case "keep":
      return <KeepSheet />;
    default:
      return null;
  }
}
