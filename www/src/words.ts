// All that the page says, in one place: few and plain words, and everything that a translation needs.
import type { GalleryActName } from "webreid";
import type { Kind } from "./media/kind.ts";

const number = new Intl.NumberFormat("en");

export function count(n: number, one: string, many = `${one}s`): string {
  return `${number.format(n)} ${n === 1 ? one : many}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A time to wait, as exactly as an estimate deserves. */
export function duration(seconds: number): string {
  if (seconds < 8) return "a few seconds";
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} seconds`;
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${Math.round(seconds / 3600)} hours`;
}

/** Two moments of a video, in seconds: "0:12–0:17". */
export function span(from: number, to: number): string {
  const [a, b] = [from, to].map((time) => `${Math.floor(time / 60)}:${String(Math.floor(time % 60)).padStart(2, "0")}`);
  return a === b ? `${a}` : `${a}–${b}`;
}

const acts: Readonly<Record<GalleryActName, string>> = {
  add: "photos added",
  remove: "photos removed",
  enrol: "new person",
  confirm: "photos confirmed",
  move: "photos moved",
  release: "photos taken out",
  split: "person split",
  merge: "people joined",
  name: "name",
  dissolve: "person taken apart",
  hide: "photos hidden or shown",
  cover: "cover picture",
  answer: "answer",
  import: "people read from a file",
  group: "photos grouped",
};

export const words = {
  acts,

  app: {
    title: "webreid",
    skip: "Skip to the content",
    places: "Places",
    photos: "Photos",
    people: "People",
    undo: "Undo",
    redo: "Redo",
    cancel: "Cancel",
    close: "Close",
    dismiss: "Dismiss",
    addMore: "Add photos",
    keep: "Keep and save",
    progress: "Progress",
    messages: "Messages",
    problems: (n: number) => `${count(n, "file")} could not be used`,
    dropHere: "Drop photos, a folder, a video or a model",
    modelChip: (name: string, device: string, speed: number | undefined) =>
      [
        name,
        device,
        ...(speed === undefined ? [] : [`${speed < 10 ? speed.toFixed(1) : Math.round(speed)} people a second`]),
      ].join(" · "),
    modelLoading: "The model is loading …",
    modelFailed: "No model",
    learn: "Teach it",
    leave: "What you have done here is not saved.",
  },

  welcome: {
    heading: "Who is on which photo?",
    lead: "Drop photos here. They never leave this device.",
    choosePhotos: "Choose photos",
    chooseFolder: "Choose a folder",
    openFile: "Open a .reid file",
    samples: (bytes: string) => `Try the sample photos (${bytes})`,
    outcome: "Photos of several people become rows, one for each person.",
  },

  model: {
    builtIn: "Built-in model",
    loading: (name: string) => `Loading: ${name}`,
    settingUp: (name: string) => `Setting up: ${name}`,
    program: "the program",
    detector: "what finds people in photos",
    stillInUse: "The model loaded before is still in use.",
    downloading: (what: string, loaded: number, total: number | undefined) =>
      `Loading ${what}: ${megabytes(loaded)}${total === undefined ? "" : ` of ${megabytes(total)}`}`,
  },

  reading: {
    progress: (done: number, total: number) => `Reading photos: ${Math.floor(done)} of ${total}`,
    done: (photos: number, crops: number, people: number, problems: number) =>
      `Done: ${count(photos, "photo")} read. ${count(crops, "picture")} of people, in ${count(people, "group")}.` +
      (problems > 0 ? ` ${count(problems, "file")} could not be used.` : ""),
    cancelled: (left: number) => `Cancelled: ${count(left, "photo")} not read yet.`,
    stopped: (why: string) => `Reading stopped. ${why}`,
    noPicture: (kind: Kind, why: string) =>
      ({
        empty: "The file is empty.",
        heic: "This browser cannot read HEIC pictures. Save it as JPEG, and add that.",
        tiff: "This browser cannot read TIFF pictures. Save it as JPEG, and add that.",
        svg: "This is a drawing (SVG), not a photo.",
        picture: `The picture is damaged, or cut off. (${why})`,
        other: "This is not a picture.",
      })[kind],
    gone: "The file cannot be opened: it was moved or deleted, or may not be read.",
    noVideo: "This browser cannot play this video. Save it as MP4 (H.264) or WebM, and add that.",
    videoWithoutDetector: "People in videos cannot be found without what finds people in photos.",
    watching: (name: string, time: number, duration: number) =>
      `Watching ${name}: ${span(time, time)} of ${span(duration, duration)}`,
    inVideo: (name: string, time: string) => `${name} ${time}`,
    withoutDetector: (why: string) =>
      `People in photos cannot be found here, so each photo is taken as one person. ${why}`,
    goOn: (left: number) => `Read the other ${count(left, "photo")}`,
    leftOut: (files: number) =>
      `${count(files, "file")} that ${files === 1 ? "is no photo was" : "are no photos were"} left out.`,
    already: (photos: number) => `${count(photos, "photo")} ${photos === 1 ? "was" : "were"} already here.`,
    samplesFailed: "The sample photos could not be loaded.",
    offline: "The network cannot be reached.",
  },

  people: {
    failed: (why: string) => `That could not be done. ${why}`,
    notGrouped: (why: string) => `The photos could not be grouped. ${why}`,
    undone: (act: string) => `Undone: ${act}.`,
    redone: (act: string) => `Done again: ${act}.`,
    conflictTitle: "You said otherwise before",
    conflict: "This contradicts an answer that you gave before. Which holds?",
    conflictBetween: (a: string, b: string) => `You said that ${a} and ${b} are different people. Which holds?`,
    conflictYes: "What I say now",
    conflictNo: "What I said before",
    lookingAgain: (done: number, total: number) => `Looking at the people again: ${done} of ${total}`,
    withoutPicture: (n: number) =>
      `${count(n, "picture")} could not be looked at again, for want of the photo: add the photos once more.`,
    unnamed: (id: number) => `Person ${id + 1}`,
    outdated: "These people were read with another model.",
    readAgain: "Read them again",
    readOnly: "Another tab has these people open: here they can only be looked at.",
  },

  care: {
    summary: "Before you use it",
    sections: [
      {
        title: "A match is a suggestion, not proof",
        text:
          "The model compares how people look: clothes, build, colours. Two people in like clothes can look like one, and one " +
          "person in two coats like two. It errs more on people, places and cameras unlike those it learnt from. Look for " +
          "yourself, and never let a score alone decide anything about a person.",
      },
      {
        title: "Use it with care",
        text:
          "Compare photos of people only where you have the right to, and better with their consent. Do not use it to follow, " +
          "watch or single out people. In many countries the law protects such data; what holds for you is yours to find out.",
      },
      {
        title: "What happens to your photos",
        text:
          "They are read and compared in this tab, on your device, and forgotten when you close it, unless you ask this page to " +
          "keep them here. Nothing is uploaded and nothing is counted. The page contacts another server only if you type in a " +
          "model’s address there, and then it only downloads.",
      },
    ],
    samples: "Sample photos: crops of the PETS 2009 benchmark, University of Reading, for demonstration and research",
    notice: "notice",
    bench: "Speed test",
  },

  photos: {
    heading: "Photos",
    filter: "Show",
    filters: {
      all: (n: number) => `All (${number.format(n)})`,
      people: (n: number) => `With people (${number.format(n)})`,
      nobody: (n: number) => `Nobody found (${number.format(n)})`,
      unread: (n: number) => `Not read yet (${number.format(n)})`,
    },
    select: "Select",
    selectAll: "Select all",
    selectDone: "Done",
    selected: (n: number) => `${count(n, "photo")} selected`,
    removeSelected: "Remove",
    removeAll: "Remove all",
    removed: (n: number) => `${count(n, "photo")} removed.`,
    open: (name: string, state: string) => `${name}, ${state}`,
    people: (n: number) => count(n, "person", "people"),
    nobody: "nobody found",
    waiting: "waiting",
    reading: "being read",

    describe: (name: string, people: readonly string[]) =>
      `Photo ${name}, ${people.length === 0 ? "nobody found" : `${count(people.length, "person", "people")}: ${people.join(", ")}`}`,
    videoOf: (name: string, n: number) => `Video ${name}, ${count(n, "person", "people")} followed`,
    person: (id: number) => `Person ${id}`,
    unknown: "Not sure who",
    onIt: "On this photo",
    inIt: "In this video",
    previous: "Previous photo",
    next: "Next photo",
    place: (at: number, of: number) => `${number.format(at)} of ${number.format(of)}`,
    onePerson: "This photo shows one person",
    addBox: "Add a box",
    change: "Change boxes",
    changeDone: "Done",
    changeHelp:
      "Draw a box around somebody who was missed. Drag a box or its corners to mend it; choose one to remove it.",
    boxHelp: "Arrow keys move the box, with Shift they resize it. Enter keeps it, Escape drops it.",
    newBox: "New box",
    keepBox: "Keep",
    dropBox: "Drop",
    removeBox: "Remove box",
    changeBox: (name: string) => `Change the box of ${name}`,
    boxAdded: "Box added.",
    boxMoved: "Box changed.",
    boxRemoved: "Box removed.",
    readWhole: "Taken as one person.",
    readForPeople: "Looked for people.",
    looking: "Looking at the photo",
    remove: "Remove photo",
    removeVideo: "Remove video",
  },

  search: {},

  learning: {},

  keep: {
    title: "Keep and save",
    onDevice: "Keep on this device",
    onDeviceNote:
      "Photos, people and what you said of them are kept in this browser, and are here again the next time. Whoever uses this " +
      "browser can see them. Nothing is uploaded.",
    keep: "Keep everything here",
    kept: "Everything is kept on this device, as you go.",
    space: (used: number | undefined, quota: number | undefined) =>
      used === undefined
        ? "This browser does not tell how much room that takes."
        : `This page takes ${megabytes(used)} here${quota === undefined ? "" : `; it may take ${Math.round(quota / 1e9)} GB`}.`,
    deleteAll: "Delete everything kept here",
    deleteTitle: "Delete everything that is kept here?",
    deleteText: "The photos themselves stay where you have them. What is on the page stays on it until you close it.",
    deleted: "Nothing of this page is kept on this device any more.",
    couldNotKeep: (why: string) => `Nothing is kept. ${why}`,
    replaceTitle: "There are people kept here from before",
    replaceText: "They were kept by this page at another time. Shall these take their place?",
    replace: "Replace them",
    cancel: "Cancel",
    full: "The device has no room left for this page: what you do from now on is not kept. Save it to a file.",
    failed: (why: string) => `What you did could not be kept here. Save it to a file. ${why}`,
    notOpened: (why: string) => `The people kept here could not be opened; they stay as they are. ${why}`,
    takeAlong: "Take along",
    takeAlongNote:
      "One file with the people, their names and all that you said. This page opens it again, on any device, and so does the reid command.",
    withPhotos: (bytes: string) => `With the photos (${bytes})`,
    save: "Save a .reid file",
    saving: (done: number, total: number) => `Packing photos: ${done} of ${total}`,
    saved: (name: string) => `Saved: ${name}`,
    open: "Open a .reid file",
    opened: (people: number, photos: number) =>
      `Opened: ${count(people, "person", "people")} on ${count(photos, "picture")}.`,
    openedName: "file opened",
    lost: (what: readonly string[]) => `Not all of the file could be read. ${what.join(" ")}`,
    notRead: (why: string) => `The file could not be opened. ${why}`,
    others: "For other programs",
    folders: "People as folders",
    foldersNote: "A zip file with a folder for each person, and them cut out of their photos in it.",
    foldersSaving: (done: number, total: number) => `Cutting people out: ${done} of ${total}`,
    names: "Names as a table (CSV)",
    unsureFolder: "not sorted",
  },

  cutOff: {},
} as const;
