import { people } from "../app.ts";
import { Crop } from "./crop.tsx";

/** Everybody, the biggest group first. */
export function PeoplePlace() {
  return (
    <ul>
      {people.all.value.map(({ id, name, confirmed, suggested }) => (
        <li key={id}>
          {name ?? `Person ${id}`}
          {[...confirmed, ...suggested].map((photo) => {
            const view = people.photos.value.get(photo);
            return view && <Crop key={photo} photo={view} alt={view.name} />;
          })}
        </li>
      ))}
    </ul>
  );
}
