import { pile } from "../app.ts";

/** The photos as the user gave them. */
export function PhotosPlace() {
  return (
    <ul>
      {pile.sources.value.map(({ id, thumbnail, path }) => (
        <li key={id}>
          <img src={thumbnail} alt={path} />
        </li>
      ))}
    </ul>
  );
}
