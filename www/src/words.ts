// All that the page says, in one place: few and plain words, and everything that a translation needs.
import type { GalleryActName } from "webreid";

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
    noPicture: (why: string) => `not a picture that this browser can read (${why})`,
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
  },

  /** What is done to sort people. */
  sorting: {
    unnamed: (id: number) => `Person ${id}`,
    emptyName: "Type a name first.",
    takenName: (name: string) => `Somebody is called ${name} already. Choose another name.`,
    named: (name: string) => `Named ${name}.`,
    nameTakenOff: (name: string) => `${name} has no name now.`,
    isSameTitle: (name: string) => `Is this the same ${name}?`,
    isSame: (name: string) => `Somebody is called ${name} already. If it is the same person, all pictures go together.`,
    isSameNamed: (name: string, taken: string) =>
      `Somebody is called ${taken} already. If ${name} and ${taken} are one person, all pictures go together as ${taken}.`,
    isSameYes: "The same person",
    isSameNo: "Somebody else",
    joinTitle: (names: readonly string[]) => `${names.join(" and ")}: one person?`,
    joinText: (name: string) =>
      `They have different names. Joined, all pictures are ${name}’s, and the other name goes. You can undo it.`,
    joinYes: (name: string) => `One person: ${name}`,
    joinNo: "Different people",
    joined: (n: number, name: string | undefined) =>
      `${count(n, "group")} joined${name === undefined ? "" : `: all of it is ${name} now`}.`,
    moved: (n: number, name: string) => `${count(n, "picture")} moved to ${name}.`,
    released: (n: number) => `${count(n, "picture")} taken out.`,
    hidden: (n: number) => `${count(n, "picture")} hidden.`,
    shown: (n: number) => `${count(n, "picture")} shown again.`,
    removed: (n: number) => `${count(n, "picture")} removed.`,
    confirmed: (n: number) => `${count(n, "picture")} confirmed.`,
    covered: (name: string) => `${name} has another cover picture.`,
    split: (name: string, n: number) => `${name} is ${count(n, "person", "people")} now.`,
    dissolved: (name: string) => `${name} is taken apart.`,
  },

  /** The place where people are sorted. */
  groups: {
    list: "People",
    heading: (people: number, photos: number) =>
      `${count(people, "person", "people")}`.concat(photos > 0 ? `, ${count(photos, "picture")}` : ""),
    reading: "People appear here while the photos are read.",
    grouping: "Sorting …",
    select: (name: string) => `Select ${name}`,
    nameOf: (name: string) => `Name of ${name}`,
    addName: "Add a name",
    open: (name: string, n: number) => `${name}: show ${n === 1 ? "the picture" : `all ${n} pictures`}`,
    pictures: (n: number) => count(n, "picture"),
    more: (n: number) => `+${n}`,
    picturesOf: (name: string) => `Pictures of ${name}`,
    confirm: "Yes, all",
    confirmOf: (name: string, n: number) => `Yes, all of these are ${name}: ${count(n, "suggested picture")}`,
    sure: (photo: string) => `${photo}, confirmed`,
    maybe: (photo: string) => `${photo}, suggested`,
    unsure: "Not sure",
    unsureText: "These look like nobody else here. Move them to people, or leave them.",
    unsureCount: (n: number) => `${n} not sure`,
    hidden: "Hidden pictures",
    hiddenText: "They are left out everywhere. Pick some to show them again.",
    hiddenCount: (n: number) => `${n} hidden`,
    strictness: "How alike must pictures be?",
    more_together: "more together",
    more_apart: "more apart",
    automatic: "Find it by itself",
    strictnessChanged: "how alike pictures must be",
    cameras: (n: number) => `Photos of ${n} cameras: what a camera does to colours is taken off.`,
    camerasOn: "Take it off",
    camerasChanged: "what cameras do to colours",
    none: "no pictures left",
  },

  /** One person, with all pictures. */
  person: {
    confirmed: (n: number) => `Confirmed: ${n}`,
    suggested: (n: number) => `Suggested: ${n}`,
    confirmedText: "You said that these are right.",
    suggestedText: "The page takes these for the same person.",
    confirmAll: "Yes, all of these",
    search: "Look for more",
    split: "These are several people",
    dissolve: "Take apart",
    hideAll: "Hide all",
    takeNameOff: "Take the name off",
  },

  picks: {
    bar: "What is selected",
    photos: (n: number) => `${count(n, "picture")} selected`,
    people: (n: number) => `${count(n, "person", "people")} selected`,
    join: "Join",
    confirm: "Yes, right",
    confirmAll: "Yes, all of these",
    move: "Move to …",
    newPerson: "New person",
    release: "Not this person",
    cover: "Cover picture",
    hide: "Hide",
    show: "Show again",
    remove: "Remove",
    clear: "Select nothing",
    newPersonHere: "Drop here: a new person",
    nobodyHere: "Drop here: not this person",
    moveTitle: (n: number) => `Move ${count(n, "picture")} to`,
    moveLabel: "Who is it? Type a name",
    moveNew: "A new person",
    moveNamed: (name: string) => `A new person called ${name}`,
    moveNobody: "Nobody, not sure",
    moveList: "People to move to",
  },

  questions: {
    title: "Do these two groups show one person?",
    region: "Question",
    first: "First group",
    second: "Second group",
    same: "Yes",
    different: "No",
    unsure: "Can’t tell",
    skip: "Later",
    answered: (n: number) => (n === 0 ? "Each answer sorts more pictures." : `${count(n, "answer")} given`),
    answeredWith: { same: "One person.", different: "Different people.", unsure: "Can’t tell: not asked again." },
    none: "No more questions: everything is clear enough.",
    hide: "Close the questions",
    show: "Answer questions",
  },

  search: {},

  learning: {},

  keep: {},

  cutOff: {},
} as const;
