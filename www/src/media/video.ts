// The pictures of a video, in the order of time.
import { words } from "../words.ts";
import { digestOf } from "./digest.ts";
import type { Look } from "./look.ts";
import { jpegOf, THUMBNAIL } from "./thumbnail.ts";

const ENDING = /\.(mp4|m4v|webm|mov|ogv)$/i;

/** Frames looked at: two a second, and of a long video fewer. */
const EVERY = 0.5;
const MOST = 240;
/** Of the longer side, in pixels: people are found and told apart in that as well as in more. */
const SIDE = 1920;
/** What does not come within this does not come. */
const PATIENCE_MS = 15_000;

export function isVideo({ type, name }: File): boolean {
  return type.startsWith("video/") || ENDING.test(name);
}

/** At first sight: a moment after it began, which is often black. */
export async function lookAtVideo(file: File): Promise<Look> {
  if (file.size === 0) throw new Error(words.reading.noPicture("empty", ""));
  const digest = await digestOf(file);
  const video = await Video.open(file);
  try {
    const { width, height, duration } = video;
    const frame = await video.at(Math.min(1, duration / 4));
    return { width, height, digest, thumbnail: await jpegOf(frame, THUMBNAIL / Math.max(width, height)) };
  } finally {
    video.close();
  }
}

/** A video that the browser can play. */
export class Video {
  readonly #element: HTMLVideoElement;
  readonly #canvas: OffscreenCanvas;
  /** In seconds. */
  readonly duration: number;

  private constructor(element: HTMLVideoElement, duration: number) {
    const { videoWidth, videoHeight } = element;
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    this.#element = element;
    this.#canvas = new OffscreenCanvas(Math.round(videoWidth * scale), Math.round(videoHeight * scale));
    this.duration = duration;
  }

  /** Rejects with words for people. */
  static async open(file: Blob): Promise<Video> {
    const element = document.createElement("video");
    element.muted = true;
    element.playsInline = true;
    element.preload = "auto";
    try {
      const loaded = event(element, "loadeddata");
      element.src = URL.createObjectURL(file);
      await loaded;
      if (element.videoWidth === 0) throw new Error(words.reading.noVideo);
      // What a browser has recorded says how long it is only when it was read to its end.
      if (!Number.isFinite(element.duration)) {
        const ended = event(element, "seeked");
        element.currentTime = Number.MAX_SAFE_INTEGER;
        await ended;
      }
      const duration = Number.isFinite(element.duration) ? element.duration : element.currentTime;
      return new Video(element, duration);
    } catch (error) {
      close(element);
      throw error;
    }
  }

  get width(): number {
    return this.#canvas.width;
  }

  get height(): number {
    return this.#canvas.height;
  }

  /** When the frames are that are worth looking at, in seconds. */
  get times(): number[] {
    const count = Math.max(1, Math.min(MOST, Math.floor(this.duration / EVERY)));
    const step = Math.max(EVERY, this.duration / count);
    return Array.from({ length: count }, (_, i) => i * step);
  }

  /** What is shown then; the same canvas every time. */
  async at(time: number): Promise<OffscreenCanvas> {
    const there = event(this.#element, "seeked");
    this.#element.currentTime = time;
    await there;
    // Pixels are read back each time.
    const context = this.#canvas.getContext("2d", { willReadFrequently: true });
    context?.drawImage(this.#element, 0, 0, this.#canvas.width, this.#canvas.height);
    return this.#canvas;
  }

  close(): void {
    close(this.#element);
  }
}

function close(element: HTMLVideoElement): void {
  URL.revokeObjectURL(element.src);
  element.removeAttribute("src");
  element.load();
}

function event(element: HTMLVideoElement, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const settle = (end: () => void) => () => {
      abort.abort();
      end();
    };
    const fail = settle(() => reject(new Error(words.reading.noVideo)));
    element.addEventListener(name, settle(resolve), { signal: abort.signal });
    element.addEventListener("error", fail, { signal: abort.signal });
    const timer = setTimeout(fail, PATIENCE_MS);
    abort.signal.addEventListener("abort", () => clearTimeout(timer));
  });
}
