import type { Gallery, GalleryPhoto, PersonBox, PhotoId } from "webreid";
import { words } from "../words.ts";
import { type Sample, whole } from "./finding.ts";
import { type Steps, takeBack } from "./history.ts";
import type { Jobs, Work } from "./jobs.ts";
import type { People } from "./people.ts";
import type { Pile, Source } from "./pile.ts";
import type { Reading } from "./reading.ts";

/** What follows, of what was added; `known` are those that were there before. */
type Then = (
  gallery: Gallery,
  steps: Steps,
  added: readonly (GalleryPhoto | null)[],
  known: ReadonlySet<PhotoId>,
) => Promise<void>;

/** A box that is there already is not one more, nor takes its place. */
function refuse(added: GalleryPhoto | null | undefined, known: ReadonlySet<PhotoId>): void {
  if (!added || !known.has(added.id)) return;
  throw new Error(added.hidden ? words.photos.boxHidden : words.photos.boxThere);
}

/** What the user says about where people are on a photo. */
export class Boxes {
  readonly #jobs: Jobs;
  readonly #pile: Pile;
  readonly #people: People;
  readonly #reading: Reading;

  constructor(jobs: Jobs, pile: Pile, people: People, reading: Reading) {
    this.#jobs = jobs;
    this.#pile = pile;
    this.#people = people;
    this.#reading = reading;
  }

  /** Somebody in this box. */
  async add(source: Source, box: PersonBox): Promise<void> {
    const { boxAdded } = words.photos;
    const cut = (work: Work) => this.#reading.finding.cut(source, [box], work);
    await this.#change(source, boxAdded, false, cut, [], async (_, __, [added], known) => refuse(added, known));
  }

  /** The box is another one; whom it shows it goes on showing. */
  async move(source: Source, photo: GalleryPhoto, box: PersonBox): Promise<void> {
    const { boxMoved } = words.photos;
    const cut = (work: Work) => this.#reading.finding.cut(source, [box], work);
    await this.#change(source, boxMoved, false, cut, [photo], async (gallery, steps, [added], known) => {
      refuse(added, known);
      if (!photo.confirmed || photo.person === undefined || !added) return;
      await gallery.move(added, photo.person);
      steps.acts.push("move");
    });
  }

  async remove(photo: GalleryPhoto): Promise<void> {
    await this.#people.act((gallery) => gallery.remove(photo), { done: words.photos.boxRemoved });
  }

  /** Looks for people in a photo anew, or takes it whole. */
  async readAs(source: Source, isWhole: boolean): Promise<void> {
    const { readWhole, readForPeople } = words.photos;
    const before = this.#reading.peopleOn(source);
    const find = async (work: Work) => {
      if (isWhole) return [whole(source)];
      return (await this.#reading.finding.find([{ ...source, isWhole }], work)).samples;
    };
    await this.#change(source, isWhole ? readWhole : readForPeople, isWhole, find, before);
  }

  /** Takes `old` out and adds what is found: one step for the user. */
  async #change(
    source: Source,
    done: string,
    isWhole: boolean,
    find: (work: Work) => Promise<Sample[]>,
    old: readonly GalleryPhoto[] = [],
    then: Then = async () => {},
  ): Promise<void> {
    const { isWhole: wasWhole } = source;
    const redone = () => this.#pile.update(source.id, { isWhole });
    const undone = () => this.#pile.update(source.id, { isWhole: wasWhole });
    const steps: Steps = { name: done, acts: [], undone, redone };
    await this.#people.act(
      (gallery) =>
        this.#jobs.run("boxes", async (work) => {
          work.progress(words.photos.looking);
          const samples = await find(work);
          return this.#reading.exclusively(async () => {
            // First, for a box that differs by little from one that is there counts as that.
            if (old.length > 0) await gallery.remove(old);
            if (old.length > 0) steps.acts.push("remove");
            const known = new Set(this.#people.photos.peek().keys());
            for (const { id } of old) known.delete(id);
            try {
              await then(gallery, steps, await this.#reading.add(samples, work, () => steps), known);
            } catch (error) {
              await takeBack(gallery, steps.acts.splice(0));
              throw error;
            }
            redone();
          });
        }),
      { done, as: steps },
    );
  }
}
