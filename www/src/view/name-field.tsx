import { useState } from "preact/hooks";
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
  const [refused, setRefused] = useState<string>();
  const name = people.byId.value.get(person)?.name ?? "";
  const noteId = `name-note-${person}`;
  const take = async (field: HTMLInputElement) => {
    // Nothing was said.
    if (field.value.trim() === "" && name === "") {
      field.value = "";
      return setRefused(undefined);
    }
    const typed = field.value;
    const why = await giveName(person, typed);
    setRefused(why);
    if (why !== undefined && typed.trim() === "") field.value = name;
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
        placeholder={words.groups.addName}
        aria-label={words.groups.nameOf(labelOf(person))}
        aria-invalid={refused !== undefined}
        aria-describedby={refused === undefined ? undefined : noteId}
        title={name || undefined}
        value={name}
        data-saved={name}
        onKeyDown={(event) => {
          const { currentTarget: field } = event;
          if (event.key === "Enter") {
            event.preventDefault();
            void take(field);
          } else if (event.key === "Escape" && field.value !== name) {
            event.preventDefault();
            event.stopPropagation();
            field.value = name;
            setRefused(undefined);
          }
        }}
        onBlur={({ currentTarget }) => void take(currentTarget)}
      />
      {refused !== undefined && (
        <p id={noteId} class="note error" role="alert">
          {refused}
        </p>
      )}
    </>
  );
}
