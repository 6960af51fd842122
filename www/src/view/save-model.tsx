import { model, notices } from "../app.ts";
import { messageOf } from "../errors.ts";
import { words } from "../words.ts";
import { saveFile } from "./save-file.ts";

/** Gives the user the model as it is now, as a file. */
export function SaveModel() {
  const save = async () => {
    try {
      const file = await model.save();
      saveFile(file);
      notices.toast(words.learning.saved(file.name));
    } catch (error) {
      notices.toast(words.learning.notSaved(messageOf(error)));
    }
  };
  return (
    <button type="button" onClick={() => void save()}>
      {words.learning.save}
    </button>
  );
}
