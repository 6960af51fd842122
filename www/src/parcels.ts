import { cutOffs, jobs, keeping, model, notices, people, pile, reading, sheet } from "./app.ts";
import { isAborted, messageOf } from "./errors.ts";
import type { ModelSource } from "./state/model.ts";
import { pack, unpack } from "./state/parcel.ts";
import type { Source } from "./state/pile.ts";
import { saveFile } from "./view/save-file.ts";
import { words } from "./words.ts";

/** Saves what is here as a `.reid` file. */
export async function saveParcel(withPhotos: boolean): Promise<void> {
  try {
    await jobs.run("files", async (work) => {
      const gallery = await (await people.gallery()).toBlob();
      const { name, weights } = model.source.peek();
      const file = await pack(
        {
          gallery,
          model: weights === undefined ? undefined : { name, file: await model.save() },
          cutOffs: cutOffs.kept.peek(),
          sources: withPhotos ? pile.sources.peek().filter(({ isRemoved }) => !isRemoved) : [],
        },
        (done, total) => work.progress(words.keep.saving(done, total), done / total),
        work.signal,
      );
      saveFile(new File([file], "people.reid"));
    });
    keeping.isUnsaved.value = false;
    notices.toast(words.keep.saved("people.reid"));
  } catch (error) {
    if (!isAborted(error)) notices.toast(words.people.failed(messageOf(error)));
  }
}

/** Opens a `.reid` file in place of the people that are here, with a way back to them. */
export async function openParcel(file: File): Promise<void> {
  try {
    const parcel = await unpack(file);
    jobs.cancel("photos");
    const before = people.held && people.visible.peek().length > 0 ? await people.held.toBlob() : undefined;
    const [sources, knownCutOffs] = [pile.sources.peek(), cutOffs.kept.peek()];
    const source = model.source.peek();
    const { name = "", file: weights } = parcel.model ?? {};
    const opened = weights ? { name, fileName: weights.name, weights } : source;
    const load = async (wanted: ModelSource) => wanted === model.source.peek() || model.load(wanted);
    const open = async () => {
      // Without it the people can be read again.
      await load(opened);
      await hold(parcel.gallery);
      // Photos that it does not know would show nobody.
      const { byHash } = people;
      const isKnown = ({ hashes }: Source) => hashes.some((hash) => byHash.peek().has(hash));
      pile.forget(
        new Set(
          pile.sources
            .peek()
            .filter((source) => !isKnown(source))
            .map(({ id }) => id),
        ),
      );
      pile.restore(parcel.sources);
      cutOffs.kept.value = new Map([...cutOffs.kept.peek(), ...parcel.cutOffs]);
    };
    await open();
    const losses = people.held?.losses ?? [];
    if (losses.length > 0) notices.toast(words.keep.lost(losses.map(({ message }) => message)));
    const text = words.keep.opened(people.all.peek().length, people.visible.peek().length);
    if (before) {
      const back = async () => {
        if (!(await load(source))) throw new Error(model.error.peek());
        await hold(before);
        pile.restore(sources);
        cutOffs.kept.value = knownCutOffs;
      };
      people.did(text, back, open);
    } else notices.toast(text);
    sheet.value = undefined;
    void reading.go();
  } catch (error) {
    if (!isAborted(error)) notices.toast(words.keep.notRead(messageOf(error)));
  }
}

/** Where things are kept on the device, the new people are kept in place of the old ones. */
async function hold(gallery: Blob): Promise<void> {
  const reid = await model.ready;
  const opened = await people.create(reid, gallery);
  people.numberAnew();
  await keeping.replace(opened);
}
