import { notices, pile, reading } from "./app.ts";
import { isAborted } from "./errors.ts";
import { words } from "./words.ts";

interface Sample {
  readonly file: string;
  readonly person: string;
}

/** All of them together. */
export const SAMPLES_BYTES = 50_129;

/** Puts the sample photos, which are served beside the page, on the pile. */
export async function addSamples(): Promise<void> {
  try {
    const list = (await (await get("samples.json")).json()) as Sample[];
    const files = await Promise.all(
      list.map(async ({ file }) => {
        const blob = await (await get(file)).blob();
        // The same every time, so that samples added twice are known to be the same.
        return { file: new File([blob], file, { type: blob.type, lastModified: 0 }), path: file };
      }),
    );
    pile.add(files);
    await reading.go();
  } catch (error) {
    if (isAborted(error)) return;
    // The browser has no words for a network that is not there.
    const isOffline = error instanceof TypeError || !navigator.onLine;
    notices.toast(`${words.reading.samplesFailed}${isOffline ? ` ${words.app.offline}` : ""}`);
  }
}

async function get(name: string): Promise<Response> {
  const response = await fetch(`./samples/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}
