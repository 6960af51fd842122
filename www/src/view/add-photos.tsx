import { expectPhotos, take } from "../intake.ts";
import { words } from "../words.ts";
import { FileButton } from "./file-button.tsx";

interface Props {
  readonly label?: string;
  readonly isPrimary?: boolean;
}

const onFiles = (files: readonly File[]) =>
  void take(files.map((file) => ({ file, path: file.webkitRelativePath || file.name })));

/** Chooses photos and videos, and puts them on the pile. */
export function AddPhotos({ label = words.app.addMore, isPrimary = false }: Props) {
  return (
    <FileButton
      label={label}
      isPrimary={isPrimary}
      accept="image/*,video/*,.reid"
      isMultiple
      onOpen={expectPhotos}
      onFiles={onFiles}
    />
  );
}

/** Chooses a folder with all that is in it. */
export function AddFolder() {
  return <FileButton label={words.welcome.chooseFolder} isFolder onOpen={expectPhotos} onFiles={onFiles} />;
}
