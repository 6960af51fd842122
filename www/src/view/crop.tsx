import { useEffect, useState } from "preact/hooks";
import type { GalleryPhoto } from "webreid";
import { crops, people } from "../app.ts";

interface Props {
  readonly photo: GalleryPhoto;
  /** For those who do not see it; empty where the text beside it says the same. */
  readonly alt: string;
  readonly isLarge?: boolean;
}

/** The picture of somebody, whole: never cut at head and feet. */
export function Crop({ photo: { id }, alt, isLarge = false }: Props) {
  const [url, setUrl] = useState<string>();
  const { value: generation } = people.generation;
  useEffect(() => {
    let isThere = true;
    const show = (made: string | undefined) => {
      if (isThere && made) setUrl(made);
    };
    const large = isLarge ? crops.large(id).then(show) : undefined;
    // The small one is there at once.
    const small = crops.small(id).then((made) => {
      if (!isLarge) show(made);
      else setUrl((now) => now ?? made);
    });
    for (const picture of [large, small]) picture?.catch(() => {});
    return () => {
      isThere = false;
    };
  }, [generation, id, isLarge]);
  return url ? (
    <img class="crop" src={url} alt={alt} draggable={false} decoding="async" />
  ) : (
    <span class="crop blank" {...(alt && { role: "img", "aria-label": alt })} />
  );
}
