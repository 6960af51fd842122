import type { DetectedPerson, GallerySample, PersonBox, PersonDetector } from "webreid";
import { ReidError } from "webreid";
import { isAborted, isOffline, messageOf, reasonOf } from "../errors.ts";
import { isCropByPeople, isCropByPile, isCropBySize } from "../media/crop-or-scene.ts";
import { jpegOf } from "../media/thumbnail.ts";
import { Tracklets } from "../media/tracklets.ts";
import { isVideo, Video } from "../media/video.ts";
import { span, words } from "../words.ts";
import type { Work } from "./jobs.ts";
import type { Model } from "./model.ts";
import type { Notices } from "./notices.ts";
import type { Pile, Source } from "./pile.ts";

/** Somebody on a photo, or cut out of a video. */
export interface Sample {
  readonly source: Source;
  readonly sample: GallerySample;
}

/** Of what is cut out of videos: it is compared, and not only looked at. */
const CUT_QUALITY = 0.95;

/** Finds who is on photos and videos. */
export class Finding {
  readonly #model: Model;
  readonly #pile: Pile;
  readonly #notices: Notices;
  readonly #reject: (source: Source, reason: string) => void;
  /** Said once: without what finds people, photos are taken whole. */
  #withoutDetector = false;

  constructor(model: Model, pile: Pile, notices: Notices, reject: (source: Source, reason: string) => void) {
    this.#model = model;
    this.#pile = pile;
    this.#notices = notices;
    this.#reject = reject;
  }

  /** Who is on each, and which of them are taken whole, as pictures of one person. What cannot be read is rejected. */
  async find(
    batch: readonly Source[],
    work: Work,
  ): Promise<{ readonly samples: Sample[]; readonly wholes: ReadonlySet<number> }> {
    const videos = batch.filter(({ file }) => isVideo(file));
    const pile = this.#pile.shown.peek();
    const isCrop = (source: Source) => source.isWhole ?? (isCropBySize(source) || isCropByPile(source, pile));
    const photos = batch.filter(({ file }) => !isVideo(file));
    const [crops, scenes] = [photos.filter(isCrop), photos.filter((source) => !isCrop(source))];
    const detector = scenes.length > 0 || videos.length > 0 ? await this.#detector(work) : undefined;
    if (!detector) {
      for (const video of videos) this.#reject(video, words.reading.videoWithoutDetector);
      return { samples: photos.map(whole), wholes: new Set(photos.map(({ id }) => id)) };
    }
    const samples = crops.map(whole);
    const wholes = new Set(crops.map(({ id }) => id));
    for (const { source, people } of await this.#detect(detector, scenes, work)) {
      const boxes = people.map(({ box }) => box);
      if (source.isWhole === undefined && isCropByPeople(source, boxes)) {
        samples.push(whole(source));
        wholes.add(source.id);
      } else {
        samples.push(...(await this.cut(source, boxes, work)));
      }
    }
    for (const video of videos) samples.push(...(await this.#follow(detector, video, work)));
    return { samples, wholes };
  }

  /** Those in boxes on a photo. */
  async cut(source: Source, boxes: readonly PersonBox[], work: Work): Promise<Sample[]> {
    if (boxes.length === 0) return [];
    const detector = await this.#model.detector(work);
    const crops = await detector.crop(source.file, boxes, { signal: work.signal });
    return crops.map((image, i) => {
      const box = rounded(boxes[i] as PersonBox);
      return { source, sample: { ...details(source), image, box, photo: source.file } };
    });
  }

  /** What finds people; without it, photos are taken whole, which is said. */
  async #detector(work: Work): Promise<PersonDetector | undefined> {
    try {
      return await this.#model.detector(work);
    } catch (error) {
      // Those that wait for a network are not taken for what they are not.
      if (isAborted(error) || isOffline(error)) throw error;
      if (!this.#withoutDetector) this.#notices.toast(words.reading.withoutDetector(messageOf(error)));
      this.#withoutDetector = true;
      return undefined;
    }
  }

  async #detect(
    detector: PersonDetector,
    scenes: readonly Source[],
    work: Work,
  ): Promise<{ readonly source: Source; readonly people: readonly DetectedPerson[] }[]> {
    let left = [...scenes];
    while (left.length > 0) {
      try {
        const people = await detector.detect(
          left.map(({ file }) => file),
          { signal: work.signal },
        );
        return left.map((source, i) => ({ source, people: people[i] ?? [] }));
      } catch (error) {
        const bad = error instanceof ReidError && error.image ? left[error.image.index] : undefined;
        if (!bad) throw error;
        this.#reject(bad, reasonOf(error as ReidError));
        left = left.filter((source) => source !== bad);
      }
    }
    return [];
  }

  /** Follows people through a video: of each, as long as they are in it, the best picture. */
  async #follow(detector: PersonDetector, source: Source, work: Work): Promise<Sample[]> {
    const { signal } = work;
    const tracklets = new Tracklets();
    const video = await Video.open(source.file);
    const { duration } = video;
    try {
      for (const time of video.times) {
        signal.throwIfAborted();
        if (this.#pile.get(source.id)?.isRemoved) return [];
        work.progress(words.reading.watching(source.path, time, duration), time / duration);
        const frame = await video.at(time);
        const [people = []] = await detector.detect([frame], { signal });
        tracklets.see(frame, time, people);
      }
    } finally {
      video.close();
    }
    // A camera stamps a file when it has written it.
    const began = source.file.lastModified - 1000 * duration;
    return Promise.all(
      tracklets.all().map(async ({ from, to, picture }) => {
        const image = await jpegOf(picture, 1, CUT_QUALITY);
        const name = words.reading.inVideo(source.path, span(from, to));
        return { source, sample: { ...details(source), name, time: began + 1000 * from, image } };
      }),
    );
  }
}

/** The picture itself, as one of somebody. */
export function whole(source: Source): Sample {
  return { source, sample: { ...details(source), image: source.file } };
}

function details({ path, camera, time }: Source): Omit<GallerySample, "image"> {
  return { name: path, camera, time };
}

function rounded({ x, y, width, height }: PersonBox): PersonBox {
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}
