import { people, pile, place, sheet } from "../app.ts";
import { words } from "../words.ts";
import { Bar } from "./bar.tsx";
import { Care } from "./care.tsx";
import { DropZone } from "./drop-zone.tsx";
import { Foot } from "./foot.tsx";
import { Names } from "./name-field.tsx";
import { AskDialog, Problems } from "./notices.tsx";
import { PeoplePlace } from "./people-place.tsx";
import { PhotosPlace } from "./photos-place.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { ShownSheet } from "./shown-sheet.tsx";
import { Standing } from "./standing.tsx";
import { Welcome } from "./welcome.tsx";

/** The page. */
export function App() {
  useShortcuts();
  const isEmpty = pile.sources.value.every(({ isRemoved }) => isRemoved) && people.visible.value.length === 0;
  return (
    <>
      <a class="skip" href="#content">
        {words.app.skip}
      </a>
      <div class="page" inert={sheet.value !== undefined}>
        <Bar isEmpty={isEmpty} />
        <main id="content" tabIndex={-1}>
          <Standing />
          <Problems />
          {isEmpty ? <Welcome /> : place.value === "people" ? <PeoplePlace /> : <PhotosPlace />}
        </main>
        <Care />
      </div>
      <ShownSheet />
      <AskDialog />
      {sheet.value === undefined && <Foot />}
      <DropZone />
      <Names />
    </>
  );
}
