interface Sample {
  readonly file: string;
  readonly person: string;
}

const people = new WeakMap<File, string>();

/** Fetches the sample photos, which are served beside the page. */
export async function loadSamples(): Promise<File[]> {
  const list = (await (await get("samples.json")).json()) as Sample[];
  return Promise.all(
    list.map(async ({ file, person }) => {
      const blob = await (await get(file)).blob();
      // The same every time, so that samples added twice are known to be the same.
      const sample = new File([blob], file, { type: blob.type, lastModified: 0 });
      people.set(sample, person);
      return sample;
    }),
  );
}

/** Whom a sample photo shows; undefined for the user's own. */
export function personOnSample(file: File): string | undefined {
  return people.get(file);
}

async function get(name: string): Promise<Response> {
  const response = await fetch(`./samples/${name}`);
  if (!response.ok) throw new Error(`The sample photos could not be loaded (${name}: HTTP status ${response.status}).`);
  return response;
}
