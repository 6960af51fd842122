import { useRef, useState } from "preact/hooks";
import type { PersonId } from "webreid";
import { people } from "../app.ts";
import { giveName, labelOf } from "../sorting.ts";
import { words } from "../words.ts";

/** Longer than any name. */
const MOST = 100;

/** Everybody's names, to choose from while one is typed. */
export function Names() {
  return (
    <datalist id="names">
      {people.all.value.map(({ name }) => name !== undefined && <option key={name} value={name} />)}
    </datalist>
  );
}

/** Somebody's name, which is taken as soon as the field is left. */
export function NameField({ person }: { readonly person: PersonId }) {
  /** What is being typed: groups that change meanwhile leave it as it is. */
  const [draft, setDraft] = useState<string>();
  const [refused, setRefused] = useState<string>();
  /** Enter is often followed by leaving the field. */
  const isTaking = useRef(false);
  const name = people.byId.value.get(person)?.name ?? "";
  const label = labelOf(person);
  const noteId = `name-note-${person}`;
  const putBack = () => {
    setDraft(undefined);
    setRefused(undefined);
  };
  const take = async () => {
    if (isTaking.current) return;
    // Nothing was said.
    if (draft === undefined || (draft.trim() === "" && name === "")) return putBack();
    isTaking.current = true;
    const why = await giveName(person, draft).finally(() => {
      isTaking.current = false;
    });
    setRefused(why);
    // A name that is taken can be mended.
    if (why === undefined || draft.trim() === "") setDraft(undefined);
  };
  return (
    <>
      <input
        type="text"
        class="name"
        list="names"
        autocomplete="off"
        enterkeyhint="done"
        maxLength={MOST}
        placeholder={words.groups.addName(label)}
        aria-label={words.groups.nameOf(label)}
        aria-invalid={refused !== undefined}
        aria-describedby={refused === undefined ? undefined : noteId}
        title={name || undefined}
        data-saved={name}
        value={draft ?? name}
        onInput={({ currentTarget }) => {
          setDraft(currentTarget.value);
          setRefused(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            void take();
          } else if (event.key === "Escape" && draft !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            putBack();
          }
        }}
        onBlur={() => {
          // What was refused is not asked about again.
          if (refused !== undefined && !isTaking.current) putBack();
          else void take();
        }}
      />
      {refused !== undefined && (
        <p id={noteId} class="note error" role="alert">
          {refused}
        </p>
      )}
    </>
  );
}
