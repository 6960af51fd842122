import { take } from "../intake.ts";
import { words } from "../words.ts";

interface Props {
  readonly label?: string;
  readonly isPrimary?: boolean;
}

/** Chooses photos and videos, and puts them on the pile. */
export function AddPhotos({ label = words.app.addMore, isPrimary = false }: Props) {
  return (
    <label class={isPrimary ? "button primary" : "button"}>
      <input
        type="file"
        class="unseen"
        accept="image/*,video/*,.reid"
        multiple
        onChange={({ currentTarget }) => {
          void take([...(currentTarget.files ?? [])].map((file) => ({ file, path: file.name })));
          currentTarget.value = "";
        }}
      />
      {label}
    </label>
  );
}

/** Chooses a folder with all that is in it. */
export function AddFolder() {
  return (
    <label class="button">
      <input
        type="file"
        class="unseen"
        ref={(input) => {
          if (input) input.webkitdirectory = true;
        }}
        onChange={({ currentTarget }) => {
          void take(
            [...(currentTarget.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })),
          );
          currentTarget.value = "";
        }}
      />
      {words.welcome.chooseFolder}
    </label>
  );
}
