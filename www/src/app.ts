// The page's parts, each of which does one thing, and how they hang together.
import { effect, signal } from "@preact/signals";
import type { DevicePreference, PersonId, PhotoId } from "webreid";
import { isAborted, messageOf } from "./errors.ts";
import { Pictures } from "./media/pictures.ts";
import { Boxes } from "./state/boxes.ts";
import { Crops } from "./state/crops.ts";
import { CutOffs } from "./state/cut-off.ts";
import { Jobs } from "./state/jobs.ts";
import { Keeping } from "./state/keeping.ts";
import { KnownFeatures } from "./state/known-features.ts";
import { Learning } from "./state/learning.ts";
import { BUILT_IN, Model } from "./state/model.ts";
import { insist } from "./state/network.ts";
import { Notices } from "./state/notices.ts";
import { People } from "./state/people.ts";
import { Pile, type Source } from "./state/pile.ts";
import { Questions } from "./state/questions.ts";
import { Reading } from "./state/reading.ts";
import { Removal } from "./state/removal.ts";
import { Selection } from "./state/selection.ts";
import { words } from "./words.ts";

/** What is laid over the page; one at a time. */
export type Sheet =
  | { readonly is: "photo"; readonly source: number; readonly from?: PersonId | undefined }
  | { readonly is: "person"; readonly person: PersonId }
  | { readonly is: "search"; readonly of: { readonly person: PersonId } | { readonly photo: PhotoId } }
  | { readonly is: "model" }
  | { readonly is: "learning" }
  | { readonly is: "cut-off" }
  | { readonly is: "keep" };

const asked = new URLSearchParams(location.search).get("device");

export const jobs = new Jobs();
export const notices = new Notices();
export const model = new Model(jobs);
export const pile = new Pile();
export const people = new People(jobs, model, notices);
export const pictures = new Pictures();
export const reading = new Reading(jobs, model, pile, people, notices, pictures);
export const removal = new Removal(jobs, pile, people, reading);
export const boxes = new Boxes(jobs, pile, people, reading);
/** The small and the large pictures of people. */
export const crops = new Crops(people, pile, pictures, () => model.detector());
export const cutOffs = new CutOffs(people);
export const keeping = new Keeping(model, pile, people, notices, cutOffs);
export const learning = new Learning({ jobs, model, people, crops, notices, quiet });
/** What is picked, on whichever place or sheet. */
export const selection = new Selection();
export const questions = new Questions(people, jobs);
/** Which of the two places is shown. */
export const place = signal<"photos" | "people">("people");
export const sheet = signal<Sheet | undefined>(undefined);

const known = new KnownFeatures();
let goOn: (() => Promise<void>) | undefined;

model.onChange = async (reid) => {
  learning.cancel();
  goOn = await quiet();
  await people.changeModel(reid);
};

model.onChanged = () => {
  void goOn?.();
};

model.onFallBack = () => notices.toast(words.model.fellBack);

effect(() => {
  // As work goes on.
  if (jobs.all.value.length > 0) model.look();
});

effect(() => selection.keep(people.photos.value, people.byId.value));

/** Idle for so long, what looks at photos gives back the memory that large ones took. */
const REST_MS = 4000;
const LARGE_PIXELS = 2_000_000;
let resting: ReturnType<typeof setTimeout> | undefined;
let isSpent = false;
effect(() => {
  clearTimeout(resting);
  isSpent ||= jobs.all.value.some(({ about }) => about === "photos");
  if (jobs.active.value > 0 || !isSpent) return;
  resting = setTimeout(() => {
    isSpent = false;
    const isLarge = ({ width = 0, height = 0 }: Source) => width * height > LARGE_PIXELS;
    if (pile.sources.peek().some(isLarge)) model.rest();
  }, REST_MS);
});

questions.onNext = ({ a, b }) => {
  for (const photo of [...a, ...b]) crops.large(photo).catch(() => {});
};

/** Has the people looked at by the model as it is now. */
export function readAgain(): void {
  people
    .reextract(async (photo) => {
      const { fingerprint } = model.now?.describe() ?? {};
      return (fingerprint && known.get(photo, fingerprint)) || crops.original(photo);
    })
    .catch((error: unknown) => {
      if (!isAborted(error)) notices.toast(words.people.failed(messageOf(error)));
    });
}

/**
 * Stops the reading of photos, as the model is about to change; what it gives has it go on, and the people read again where the
 * model is another one then.
 */
async function quiet(): Promise<() => Promise<void>> {
  const wasReading = reading.isRunning;
  jobs.cancel("photos");
  if (wasReading) await reading.go();
  // For when this model comes back.
  if (people.held) await known.remember(people.held).catch(() => {});
  return async () => {
    await people.refresh();
    if (people.isOutdated.peek()) readAgain();
    if (wasReading) void reading.go();
  };
}

/** Begins with what was kept, or with the built-in model and nothing. */
export async function start(): Promise<void> {
  model.device.value = isDevice(asked) ? asked : "auto";
  void model.describeDevice();
  const source = await keeping.restore();
  // Without a network it is tried again when there is one.
  if (!(await model.load(source)) && source.weights && navigator.onLine) await model.load(BUILT_IN);
  if (!keeping.isKept.peek()) return;
  await insist(() => people.gallery());
  if (people.isOutdated.peek() || people.isReadOnly.peek()) return;
  await reading.go();
}

function isDevice(value: string | null): value is DevicePreference {
  return value === "auto" || value === "gpu" || value === "cpu";
}
