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

/** A file's name without its folders. */
export function shortName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** A probability; none is quite 0 or 1. */
export function percentOf(share: number | undefined): string | undefined {
  if (share === undefined) return undefined;
  if (share < 0.01) return "under 1 %";
  return share > 0.99 ? "over 99 %" : `${Math.round(100 * share)} %`;
}

/** Of a hundred: "about 4", "fewer than 1". */
export function ofHundred(share: number): string {
  const n = 100 * share;
  return n < 0.5 ? "fewer than 1" : `about ${Math.round(n)}`;
}

/** A cosine, as a number from 0 to 1. */
export function likenessOf(score: number): string {
  return Math.max(0, score).toFixed(2);
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
    again: "Try again",
    offline: "The network cannot be reached. Try again when you are online.",
    crashed: "Something behind this page stopped, and begins anew. Nothing is lost: try again.",
    gpuLost: "The graphics processor (GPU) was taken away. Try again, or choose the CPU under the model’s name.",
  },

  welcome: {
    heading: "Who is on which photo?",
    lead: "Drop photos here. They never leave this device.",
    choosePhotos: "Choose photos",
    chooseFolder: "Choose a folder",
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
    cancelled: "Loading was cancelled: there is no model yet.",
    failedBeside: "Another model could not be loaded.",
    fellBack: "The GPU does not work any more: the CPU goes on, more slowly.",
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
    unnamed: (n: number) => `Person ${n}`,
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
    counted: (n: number) => count(n, "photo"),
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
    boxThere: "There is a box already.",
    boxHidden: "The picture there is hidden: show it again under “People”.",
    boxMoved: "Box changed.",
    boxRemoved: "Box removed.",
    readWhole: "Taken as one person.",
    readForPeople: "Looked for people.",
    looking: "Looking at the photo",
    remove: "Remove photo",
    removeVideo: "Remove video",
  },

  search: {
    button: "Find on other photos",
    titleOf: (name: string) => `Where else is ${name}?`,
    somebody: "this person",
    with: (n: number) => `Searched with ${n === 1 ? "the confirmed picture" : `the ${n} confirmed pictures`}.`,
    withGuesses: (n: number) => `Searched with ${count(n, "picture")} that the page takes for one person.`,
    withOne: "Searched with this picture.",
    withAll: (n: number, name: string) => `Search with all ${n} confirmed pictures of ${name}`,
    busy: "Searching …",
    failed: (why: string) => `The search failed. ${why}`,
    outdated: "The people are being read again: what is found now is from before.",
    nobody: "There is nobody else to compare with yet.",
    bands: {
      likely: { title: "Likely", note: "Probably the same person." },
      maybe: { title: "Maybe", note: "Too close to call: look for yourself." },
      unlikely: { title: "Unlikely", note: "Probably somebody else." },
      alike: {
        title: "Most alike first",
        note: "How likely each is cannot be said yet: that takes a few more people.",
      },
    },
    amount: (n: number) => number.format(n),
    noneLikely: "Nobody else looks like the same person.",
    confirmed: (n: number) => `Already confirmed (${number.format(n)})`,
    othersLeftOut: "Pictures that were confirmed for other people are left out.",
    more: (n: number) => `Show ${n} more`,
    yes: "Yes",
    no: "No",
    yesTo: (name: string) => `Yes, ${name} shows the same person`,
    noTo: (name: string) => `No, ${name} shows somebody else`,
    open: (name: string, band: string, remarks: string) => `${name}. ${band}.${remarks && ` ${remarks}.`}`,
    saidYes: "Same person",
    saidNo: "Somebody else",
    same: (who: string, name: string) => `${name} shows ${who}.`,
    different: (who: string, name: string) => `${name} does not show ${who}.`,
    askMergeTitle: "Two people with names",
    askMerge: (a: string, b: string) =>
      `${b} has a name of their own. Are ${a} and ${b} one person, to be called ${a}?`,
    askMergeYes: "They are one person",
    askMergeNo: "Leave them apart",
    merged: (a: string, b: string) => `${b} and ${a} are one person.`,
    again: (n: number) => `Search again with ${count(n, "answer")}`,
    howSure: "How sure is this?",
    keys: "Arrow keys move, Y and N answer, Enter shows both side by side.",
    keysCompared: "Y and N answer, left and right show the next, Escape goes back.",
    compare: "Side by side",
    back: "Back to all",
    next: "Next",
    previous: "Previous",
    searchWithThis: "Search with this picture",
    searchedWith: "Searched with",
    found: "Found",
    noLikelihood: "How likely it is cannot be said yet.",
    likelihood: (percent: string) => `${percent} likely to be the same person, as far as the page can tell.`,
    hover: (percent: string | undefined, likeness: string) =>
      `${percent === undefined ? "" : `${percent} likely · `}likeness ${likeness} of 1`,
    likeness: (likeness: string) => `Likeness: ${likeness} (1 is the same, 0 unrelated).`,
    takenFor: (name: string, isConfirmed: boolean) => (isConfirmed ? name : `perhaps ${name}`),
    camera: (camera: string) => `From ${camera}.`,
    remarks: {
      tiny: (width: number, height: number) => `very small (${width} × ${height} pixels)`,
      cut: (sides: readonly string[]) => `cut off at the ${sides.join(" and ")} edge of the photo`,
      sides: { top: "top", bottom: "bottom", left: "left", right: "right" },
      blurred: "blurred or dark",
      several: "wide: perhaps not one whole person",
    },
    remarksTitle: "What makes a mistake likely here:",
  },
  /** What is done to sort people. */
  sorting: {
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
    addName: (label: string) => `${label} · add a name`,
    open: (name: string, n: number) => `${name}: show ${n === 1 ? "the picture" : `all ${n} pictures`}`,
    pictures: (n: number) => count(n, "picture"),
    more: (n: number) => `+${n}`,
    picturesOf: (name: string) => `Pictures of ${name}`,
    confirm: "Yes, all",
    confirmOf: (name: string, n: number) => `Yes, all of these are ${name}: ${count(n, "suggested picture")}`,
    sure: (photo: string) => `${photo}, confirmed`,
    maybe: (photo: string) => `${photo}, suggested`,
    selected: (photo: string) => `${photo}, selected`,
    selectPicture: (photo: string) => `Select ${photo}`,
    notHere: "The photo itself is not here. Add it again to see it large.",
    unsure: "Not sure",
    unsureText: "These look like nobody else here. Move them to people, or leave them.",
    unsureCount: (n: number) => `${n} not sure`,
    hidden: "Hidden pictures",
    hiddenText: "They are left out everywhere. Select some to show them again.",
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
    splitNote: "Sorts these pictures anew, into a row for each person that is found.",
    dissolve: "Take apart",
    dissolveNote: "Forgets who this was taken for, the name too; the pictures stay, and are sorted again.",
    hideAll: "Hide all",
    hideNote: "Leaves these pictures out everywhere. They can be shown again.",
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

  modelSheet: {
    title: "What looks at the photos",
    lead: "A model turns the picture of a person into numbers that are alike when it is the same person. It runs here, on your device.",
    noneYet: "No model is loaded yet.",
    runsOn: "Runs on",
    devices: { auto: "Automatic", gpu: "GPU (graphics)", cpu: "CPU (processor)" },
    another: "Use another model",
    anotherNote:
      "Files of torchreid, fast-reid and other projects (.safetensors, .pth, .pt, .onnx), or an OpenVINO model: choose its .xml " +
      "and .bin together. The people are read again with it; names and answers stay.",
    choose: "Choose a model file",
    address: "Address of a model",
    load: "Load",
    badAddress: "Type the model’s full address: it starts with https://",
    builtIn: "Back to the built-in model",
    loading: "It is being loaded. The one before stays in use until then.",
    details: "Details",
    architecture: "Network",
    dialect: "Named as in",
    summary: "Recognised",
    feature: "A picture becomes",
    numbers: (n: number) => count(n, "number"),
    parameters: "Learnt",
    input: "Pictures are resized to",
    inputOf: (width: number, height: number, filter: string, fit: string) =>
      `${width} × ${height} pixels (${filter}, ${fit})`,
    stretch: "stretched",
    letterbox: "proportions kept",
    computedOn: "Computed on",
    computedOnOf: (adapter: string, precision: string) => `${adapter}, ${precision === "f16" ? "16" : "32"}-bit`,
    why: "Why there",
    fallback: "What was wrong with the GPU",
    assumed: "Taken for granted",
    missing: "Not in the file",
    unexpected: "In the file, not used",
    licence: "Licence",
    licenceOf: (licence: string | undefined) =>
      licence === "LicenseRef-webreid-small"
        ? `For research and teaching only, not for products (${licence})`
        : (licence ?? "The file does not say: ask whoever made it what you may do with it."),
    fingerprint: "Fingerprint",
    learnt: (times: number) => `It has learnt here ${times === 1 ? "once" : `${times} times`}.`,
  },

  learning: {
    title: "Teach the model",
    lead:
      "The model can learn to tell these people apart, here on your device. It learns from the pictures that you confirmed, " +
      "also of people without a name. Where somebody has three or more, one is kept aside: it shows whether the rest helped.",
    ready: (people: number, pictures: number) =>
      `It would learn from ${count(pictures, "picture")} of ${people} people.`,
    tooFew: (people: number) =>
      `To learn, the model needs two people with two confirmed pictures each. So far ${
        people === 1 ? "one has them" : "nobody has"
      }.`,
    whatToDo: "Open a person and confirm that the pictures show them, or answer a few questions under “People”.",
    toPeople: "Go to the people",
    noModel: "The model has to be loaded first.",
    howMuch: "How much of the model may change?",
    depths: {
      quick: {
        title: "A little",
        note: "Only how it weighs what it sees. A few pictures are enough, and little can go wrong: try this first.",
      },
      deeper: {
        title: "More",
        note: "Also the last part of how it sees. Better with five pictures or more of each person.",
      },
      full: {
        title: "Everything",
        note: "The slowest. With few pictures it may learn these by heart, and get worse with others: give it dozens.",
      },
    },
    start: "Teach it",
    again: "Teach it again",
    pause: "Pause",
    resume: "Resume",
    cancel: "Cancel learning",
    undo: "Undo the learning",
    undoBrings: (name: string) => `Undo brings back: ${name}. Names and answers stay.`,
    act: "learning",
    gone: "This learning cannot be undone any more: there was no room for the model before it.",
    goneBack: "going back to the model before",
    isLearning: "The model is learning: cancel that first.",
    save: "Save the model to a file",
    saved: (name: string) => `The model is saved as ${name}.`,
    notSaved: (why: string) => `The model could not be saved. ${why}`,
    improved: (base: string, times: number) =>
      `${base}, improved${times === 1 ? "" : times === 2 ? " twice" : ` ${times} times`}`,
    begins: "The model is going to learn.",
    gettingReady: (done: number, total: number) => `Getting the pictures ready: ${done} of ${total}`,
    lookingBefore: (done: number, total: number) => `Looking at them before: ${done} of ${total}`,
    lookingAfter: (done: number, total: number) => `Looking at them again: ${done} of ${total}`,
    whatLearns: "what it takes to learn",
    step: (step: number, steps: number, left: string) => `Learning: step ${step} of ${steps}, ${left} left`,
    pausedAt: (step: number, steps: number) => `Paused at step ${step} of ${steps}`,
    aloud: (percent: number, left: string) => `Learning: ${percent} % done, ${left} left.`,
    pausedAloud: "Paused. Nothing is lost: resume when you like.",
    goesOn: "The model goes on learning.",
    learnt: "The model has learnt.",
    cancelled: "Cancelled. The model is as it was.",
    stopped: (why: string) => `Learning stopped: ${why} The model is as it was.`,
    notThere:
      "what it takes to learn is not on this page’s server yet. Where the page was only just built (make demo), it is still being " +
      "compiled, which takes some minutes: try again then. The page need not be loaded anew, and everything else works.",
    unmeasured: (why: string) => `The model has learnt, but whether it helped could not be measured: ${why}`,
    goingBack: "Changing the model",
    undone: (name: string) => `Undone: the model is ${name} again.`,
    chart: "How wrong the model is about the pictures it learns from, step by step. The bold line should fall.",
    lossSoFar: (steps: number, loss: string) => `Error after ${count(steps, "step")}: ${loss}.`,
    lossMoved: (fell: boolean, from: string, to: string, steps: number) =>
      `The error ${fell ? "fell" : "rose"} from ${from} in the first steps to ${to} at step ${steps}.`,
    result: "Result",
    verdicts: {
      better: "It helped on the pictures kept aside.",
      same: "It made no difference on the pictures kept aside.",
      worse: "It did not help on the pictures kept aside.",
    },
    notMeasured: "Whether it helped was not measured: that takes a person with three confirmed pictures or more.",
    onKeptAside: "On the pictures kept aside",
    before: "Before",
    after: "After",
    firstRight: "First match is the right person",
    of: (right: number, searches: number) => `${right} of ${searches}`,
    precision: "Right matches come before wrong ones",
    measuredWith: (searches: number) =>
      `Measured with ${count(searches, "picture")} that the model did not learn from.`,
    few: "That is few: take it as a hint, and look for yourself.",
    undoHint: "“Undo the learning” brings the model before back.",
  },

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
    noRoom: "The device has no room left for this page.",
    forbidden: "This browser keeps nothing for this page: the window is private, or its settings forbid it.",
    full: "The device has no room left for this page: what you do from now on is not kept. Save it to a file.",
    failed: (why: string) => `What you did could not be kept here. Save it to a file. ${why}`,
    free: "The other tab is closed: you can go on here.",
    notOpened: (why: string) => `The people kept here could not be opened; they stay as they are. ${why}`,
    takeAlong: "Take along",
    takeAlongNote:
      "One file with the people, their names and all that you said. This page opens it again, on any device.",
    withPhotos: (bytes: string) => `With the photos (${bytes})`,
    save: "Save a .reid file",
    saving: (done: number, total: number) => `Packing photos: ${done} of ${total}`,
    saved: (name: string) => `Saved: ${name}`,
    open: "Open a .reid file",
    opened: (people: number, photos: number) =>
      `Opened: ${count(people, "person", "people")} on ${count(photos, "picture")}.`,
    lost: (what: readonly string[]) => `Not all of the file could be read. ${what.join(" ")}`,
    notRead: (why: string) => `The file could not be opened. ${why}`,
    others: "For other programs",
    folders: "People as folders",
    foldersNote: "A zip file with a folder for each person, and them cut out of their photos in it.",
    foldersSaving: (done: number, total: number) => `Cutting people out: ${done} of ${total}`,
    names: "Names as a table (CSV)",
    unsureFolder: "not sorted",
  },

  cutOff: {
    title: "How sure is it?",
    lead: "How alike two pictures of one person are is another matter with every model and camera. Ten answers of yours show it for these photos.",
    start: "Ask me",
    showNow: "Show the result now",
    looking: "Looking for the question that tells most …",
    question: (n: number, of: number) => `Question ${n} of ${of}`,
    ask: "Is this the same person?",
    side: (n: number, of: number, which: "left" | "right") => `Picture ${n} of ${of}, ${which}`,
    same: "Same",
    different: "Different",
    unsure: "Can’t tell",
    keys: "Y same, N different, U can’t tell.",
    answered: { same: "Same person.", different: "Two people.", unsure: "You could not tell." },
    measuring: "Comparing the pictures …",
    tooFew: "There is too little to tell it from: that takes two people at least, and two pictures of one of them.",
    failed: (why: string) => `That could not be worked out. ${why}`,
    fromConfirmed: "From the pictures that you confirmed.",
    fromGroups: "From the people as they are grouped now. The more you confirm, the better this gets.",
    chart: "How alike pairs of pictures are",
    ofOne: (n: number) => `${count(n, "pair")} of one person`,
    ofTwo: (n: number) => `${count(n, "pair")} of two people`,
    axis: "less alike – more alike",
    inWords: (one: readonly string[], two: readonly string[]) =>
      `Half of the pairs of one person lie between ${one.join(" and ")}, half of those of two people between ${two.join(" and ")}.`,
    best: (at: string, missed: string, mistaken: string) =>
      `A cut-off at ${at} tells them apart best: of 100 pairs of one person it misses ${missed}, of 100 pairs of two people it ` +
      `takes ${mistaken} for one.`,
    judged: "What the page says of a pair is more careful than one cut-off:",
    callsSame: (wrong: string) => `Of 100 pairs that it calls likely, ${wrong} are two people.`,
    callsDifferent: (wrong: string) => `Of 100 pairs that it calls unlikely, ${wrong} are one person.`,
    callsNothing: (share: string) => `Of all pairs, ${share} % are left as “maybe”: these are yours to look at.`,
    kept: "It holds for this model.",
    more: "Answer ten more",
    done: "Done",
  },
} as const;
