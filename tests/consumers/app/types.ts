// Compiled by strict users: TypeScript of 2024, and the declarations are looked into.
import { type Feature, Gallery, type GalleryPhoto, PersonDetector, ReIdentifier, ReidError, similarity } from "webreid";

export async function main(files: FileList, video: HTMLVideoElement, frame: VideoFrame): Promise<number> {
  const reid = await ReIdentifier.create({ weights: new Uint8Array(8), onProgress: (step) => step.phase });
  const features: Feature[] = await reid.extract(files);
  const skipped: (Feature | null)[] = await reid.extract(new Set([video, frame]), { onError: "skip" });
  const values: Float32Array = (features[0] as Feature).values;
  const gallery = await Gallery.create({ reid });
  const photos: GalleryPhoto[] = await gallery.add(files);
  const detector = await PersonDetector.create({ with: reid });
  const people = await detector.detect(video);
  const each = await detector.detect([video]);
  for await (const { loss } of reid.fineTune([{ image: video, person: 1 }])) if (loss > 1) break;
  try {
    await reid.dispose();
  } catch (error) {
    if (error instanceof ReidError && error.code === "disposed") return values.length + photos.length + skipped.length;
  }
  return similarity(values, [1, 2]) + people.length + each.length;
}
