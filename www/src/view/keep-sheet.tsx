import { useEffect, useState } from "preact/hooks";
import { crops, jobs, keeping, notices, people, pile } from "../app.ts";
import { isAborted, messageOf } from "../errors.ts";
import { openParcel, saveParcel } from "../parcels.ts";
import { namesAsCsv, peopleAsFolders } from "../state/exports.ts";
import { megabytes, words } from "../words.ts";
import { FileButton } from "./file-button.tsx";
import { saveFile } from "./save-file.ts";
import { Sheet } from "./sheet.tsx";
import "../style/keep.css";

/** What is kept, and how to take it along. */
export function KeepSheet() {
  return (
    <Sheet title={words.keep.title}>
      <OnDevice />
      <TakeAlong />
      <ForOthers />
    </Sheet>
  );
}

function OnDevice() {
  const { keep } = words;
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    void keeping.measure();
  }, []);
  const run = async (work: () => Promise<void>, failed: (why: string) => string) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      if (!isAborted(error)) notices.toast(failed(messageOf(error)));
    }
    setBusy(false);
  };
  const deleteAll = async () => {
    const sure = await notices.ask({
      title: keep.deleteTitle,
      text: keep.deleteText,
      yes: keep.deleteAll,
      no: keep.cancel,
    });
    if (!sure) return;
    await keeping.deleteAll();
    notices.toast(keep.deleted);
  };
  const { used, quota } = keeping.space.value;
  return (
    <section class="keep" aria-labelledby="on-device">
      <h3 id="on-device">{keep.onDevice}</h3>
      {keeping.isKept.value ? (
        <>
          <p>{keep.kept}</p>
          <p class="note">{keep.space(used, quota)}</p>
          <button
            type="button"
            disabled={isBusy || people.isReadOnly.value}
            onClick={() => void run(deleteAll, words.people.failed)}
          >
            {keep.deleteAll}
          </button>
        </>
      ) : (
        <>
          <p class="note">{keep.onDeviceNote}</p>
          <button
            type="button"
            class="primary"
            disabled={isBusy}
            onClick={() => void run(() => keeping.keep(), keep.couldNotKeep)}
          >
            {keep.keep}
          </button>
          <p class="note">{keep.space(used, quota)}</p>
        </>
      )}
    </section>
  );
}

function TakeAlong() {
  const { keep } = words;
  const [withPhotos, setWithPhotos] = useState(false);
  const bytes = pile.sources.value.reduce((sum, { file, isRemoved }) => sum + (isRemoved ? 0 : file.size), 0);
  return (
    <section class="keep" aria-labelledby="take-along">
      <h3 id="take-along">{keep.takeAlong}</h3>
      <p class="note">{keep.takeAlongNote}</p>
      <label class="row">
        <input
          type="checkbox"
          checked={withPhotos}
          onChange={({ currentTarget }) => setWithPhotos(currentTarget.checked)}
        />
        {keep.withPhotos(megabytes(bytes))}
      </label>
      <div class="row">
        <button type="button" class="primary" onClick={() => void saveParcel(withPhotos)}>
          {keep.save}
        </button>
        <FileButton label={keep.open} accept=".reid" onFiles={([file]) => file && void openParcel(file)} />
      </div>
    </section>
  );
}

function ForOthers() {
  const { keep } = words;
  const folders = async () => {
    try {
      const file = await jobs.run("files", (work) =>
        peopleAsFolders(
          people,
          crops,
          (done, total) => work.progress(keep.foldersSaving(done, total), done / total),
          work.signal,
        ),
      );
      saveFile(file);
      notices.toast(keep.saved(file.name));
    } catch (error) {
      if (!isAborted(error)) notices.toast(words.people.failed(messageOf(error)));
    }
  };
  return (
    <section class="keep" aria-labelledby="for-others">
      <h3 id="for-others">{keep.others}</h3>
      <p class="note">{keep.foldersNote}</p>
      <div class="row">
        <button type="button" onClick={() => void folders()}>
          {keep.folders}
        </button>
        <button type="button" onClick={() => saveFile(namesAsCsv(people))}>
          {keep.names}
        </button>
      </div>
    </section>
  );
}
