import type { DevicePreference } from "webreid";
import { acceptFiles, isModel, modelOf } from "./intake.ts";
import { count, messageOf } from "./messages.ts";
import type { Photo } from "./photos.ts";
import { loadSamples } from "./samples.ts";
import { Session } from "./session.ts";
import { byId, setText } from "./view/dom.ts";
import { ImprovePanel } from "./view/improve-panel.ts";
import { JobBar } from "./view/job-bar.ts";
import { MatchList } from "./view/match-list.ts";
import { ModelPanel } from "./view/model-panel.ts";
import { PeoplePanel } from "./view/people-panel.ts";
import { PhotoGrid } from "./view/photo-grid.ts";
import { ProblemList } from "./view/problem-list.ts";

const asked = new URLSearchParams(location.search).get("device");
const device: DevicePreference = asked === "gpu" || asked === "cpu" ? asked : "auto";

let scheduled = false;
/** Many changes, one rendering a frame. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    render();
  });
}

const session = new Session(device, schedule);
const matches = byId("matches", HTMLDivElement);
const modelPanel = new ModelPanel(session);
const jobBar = new JobBar(session);
const matchList = new MatchList(matches, {
  choose,
  assign: (photo, person) => session.assign(photo, person),
  confirm: (query, match) => session.confirm(query, match),
  reject: (query, match) => session.reject(query, match),
  forgetRejections: () => session.forgetRejections(),
});
const peoplePanel = new PeoplePanel(session, choose);
const improvePanel = new ImprovePanel(session, (file) => modelPanel.load(file));
const problemList = new ProblemList(() => session.clearProblems());
const photoGrid = new PhotoGrid(byId("photo-grid", HTMLUListElement), session.people, {
  choose,
  remove: (photo) => session.removePhoto(photo),
  reject: (photo, reason) => session.rejectPhoto(photo, reason),
  assign: (photo, person) => session.assign(photo, person),
});
const photoCount = byId("photo-count", HTMLSpanElement);
const clearPhotos = byId("clear-photos", HTMLButtonElement);
const photoFiles = byId("photo-files", HTMLInputElement);
const addSamples = byId("add-samples", HTMLButtonElement);
const resume = byId("resume", HTMLButtonElement);

function render(): void {
  const photos = session.photos.all;
  const waiting = session.photos.waiting.length;
  modelPanel.render();
  jobBar.render();
  photoGrid.render(photos, session.query);
  peoplePanel.render();
  improvePanel.render();
  problemList.render(session.photos.problems);
  matchList.render({
    hasModel: session.model !== undefined,
    photoCount: photos.length,
    query: session.query,
    matches: session.matches,
    ruledOut: session.ruledOut,
    people: session.people,
  });
  setText(photoCount, photos.length > 0 ? String(photos.length) : "");
  clearPhotos.hidden = photos.length === 0;
  byId("photos-keys", HTMLParagraphElement).hidden = photos.length === 0;
  byId("photos-hint", HTMLParagraphElement).hidden = photos.length > 0;
  resume.hidden = !session.model || session.job !== undefined || waiting === 0;
  setText(resume, `Compare the other ${count(waiting, "photo")}`);
}

/** Searches with the photo, and brings the answer into view: on a narrow window it is below the photos. */
function choose(photo: Photo): void {
  session.choose(photo);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  matches.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  matches.parentElement?.scrollTo({ top: 0 });
}

function take(files: readonly File[]): void {
  const photos = files.filter((file) => !isModel(file));
  const model = modelOf(files.filter(isModel));
  if (photos.length > 0) session.addPhotos(photos);
  if (model) modelPanel.load(model);
}

acceptFiles(byId("drop-overlay", HTMLDivElement), take);
photoFiles.addEventListener("change", () => {
  take([...(photoFiles.files ?? [])]);
  photoFiles.value = "";
});
clearPhotos.addEventListener("click", () => session.clearPhotos());
resume.addEventListener("click", () => void session.compare());
addSamples.addEventListener("click", () => {
  loadSamples().then(
    (files) => session.addPhotos(files),
    (error: unknown) => session.say(messageOf(error)),
  );
});
render();
modelPanel.load();
