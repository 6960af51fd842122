import { reading } from "../app.ts";
import { isVideo } from "../media/video.ts";
import type { Source } from "../state/pile.ts";

/** A photo, small and whole, with boxes around those found on it; what it shows, the text beside it says. */
export function PhotoWithBoxes({ source }: { readonly source: Source }) {
  const { width, height, thumbnail, file } = source;
  if (!width || !height || !thumbnail) return <span class="picture blank" />;
  return (
    <svg class="picture" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <image href={thumbnail} width={width} height={height} />
      {reading.peopleOn(source).map(({ id, box }) => box && <rect key={id} {...box} />)}
      {isVideo(file) && <Play width={width} height={height} />}
    </svg>
  );
}

/** It is a video. */
function Play({ width, height }: { readonly width: number; readonly height: number }) {
  const size = 0.12 * Math.min(width, height);
  return (
    <g class="play" transform={`translate(${width / 2} ${height / 2}) scale(${size})`}>
      <circle r="1" />
      <path d="M-.35-.5v1L.55 0z" />
    </g>
  );
}
