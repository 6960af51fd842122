// The page's parts, each of which does one thing, and how they hang together.
import { effect, signal } from "@preact/signals";
import type { DevicePreference, PersonId, PhotoId } from "webreid";
import { isAborted, messageOf } from "./errors.ts";
import { Pictures } from "./media/pictures.ts";
import { Crops } from "./state/crops.ts";
import { Jobs } from "./state/jobs.ts";
import { BUILT_IN, Model } from "./state/model.ts";
import { Notices } from "./state/notices.ts";
import { People } from "./state/people.ts";
import { Pile } from "./state/pile.ts";
import { Questions } from "./state/questions.ts";
import { Reading } from "./state/reading.ts";
import { Selection } from "./state/selection.ts";
import { words } from "./words.ts";

/** What is laid over the page; one at a time. */
export type Sheet =
  | { readonly is: "photo"; readonly source: number }
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
/** The small and the large pictures of people. */
export const crops = new Crops(people, pile, pictures, () => model.detector());
/** What is picked, on whichever place or sheet. */
export const selection = new Selection();
export const questions = new Questions(people, jobs);
/** Which of the two places is shown. */
export const place = signal<"photos" | "people">("people");
export const sheet = signal<Sheet | undefined>(undefined);

model.onChange = (reid) => {
  jobs.cancel("photos");
  return people.changeModel(reid);
};

model.onChanged = () => {
  if (people.isOutdated.peek()) readAgain();
  void reading.go();
};

effect(() => selection.keep(people.photos.value, people.byId.value));

questions.onNext = ({ a, b }) => {
  for (const photo of [...a, ...b]) crops.large(photo).catch(() => {});
};

/** Has the people looked at by the model as it is now. */
export function readAgain(): void {
  people
    .reextract(async (photo) => crops.original(photo))
    .catch((error: unknown) => {
      if (!isAborted(error)) notices.toast(words.people.failed(messageOf(error)));
    });
}

export function start(): void {
  model.device.value = isDevice(asked) ? asked : "auto";
  void model.describeDevice();
  void model.load(BUILT_IN);
}

function isDevice(value: string | null): value is DevicePreference {
  return value === "auto" || value === "gpu" || value === "cpu";
}
