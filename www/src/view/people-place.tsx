import { people, sheet } from "../app.ts";
import { Crop } from "./crop.tsx";

/** Everybody, the biggest group first. */
export function PeoplePlace() {
  return (
    <ul>
      {people.all.value.map(({ id, name, confirmed, suggested }) => {
        const label = name ?? `Person ${id}`;
        const photos = [...confirmed, ...suggested];
        return (
          <li key={id} class="person">
            <input
              aria-label={`Name of ${label}`}
              value={name ?? ""}
              onKeyDown={({ key, currentTarget: { value } }) => {
                if (key === "Enter") void people.act((gallery) => gallery.name(id, value));
              }}
            />
            <button
              type="button"
              onClick={() => {
                sheet.value = { is: "person", person: id };
              }}
            >{`${label}: show ${photos.length === 1 ? "the picture" : `all ${photos.length} pictures`}`}</button>
            {suggested.length > 0 && (
              <button type="button" onClick={() => void people.act((gallery) => gallery.confirm(id))}>
                {`Yes, all of these are ${label}: ${suggested.length} suggested pictures`}
              </button>
            )}
            {photos.map((photo) => {
              const view = people.photos.value.get(photo);
              return view && <Crop key={photo} photo={view} alt={view.name} />;
            })}
          </li>
        );
      })}
    </ul>
  );
}
