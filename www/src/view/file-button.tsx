interface Props {
  readonly label: string;
  /** The endings and types that are offered; default: all. */
  readonly accept?: string;
  readonly isMultiple?: boolean;
  /** A whole folder, with all that is in it. */
  readonly isFolder?: boolean;
  readonly isPrimary?: boolean;
  /** The user is about to choose. */
  onOpen?(): void;
  onFiles(files: File[]): void;
}

/** A button that has the user choose files. */
export function FileButton({ label, accept, isMultiple, isFolder, isPrimary, onOpen, onFiles }: Props) {
  return (
    <label class={isPrimary ? "button primary" : "button"}>
      <input
        type="file"
        class="unseen"
        accept={accept}
        multiple={isMultiple}
        onClick={onOpen}
        ref={(input) => {
          if (input && isFolder) input.webkitdirectory = true;
        }}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // Choosing the same again is to try it again.
          currentTarget.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
      {label}
    </label>
  );
}
