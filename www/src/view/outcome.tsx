import { words } from "../words.ts";

/** Three people, by the colours of what they wear. */
const PEOPLE = [
  { top: "#c0563f", legs: "#34495e", count: 4 },
  { top: "#3f7fc0", legs: "#6b5b4b", count: 3 },
  { top: "#d9a441", legs: "#2f6b5e", count: 2 },
] as const;
/** Who stands where on the photos. */
const PHOTOS = [
  [0, 1],
  [2, 0],
  [1, 2, 0],
  [1, 0],
] as const;

/** What the page makes of photos, as a picture. */
export function Outcome() {
  return (
    <svg class="outcome" viewBox="0 0 640 190" role="img" aria-label={words.welcome.outcome}>
      {PHOTOS.map((people, i) => (
        <g key={i} transform={`translate(${8 + (i % 2) * 124} ${6 + Math.floor(i / 2) * 92})`}>
          <rect class="photo" width="116" height="84" rx="6" />
          <path class="ground" d="M0 62h116v16a6 6 0 0 1-6 6H6a6 6 0 0 1-6-6z" />
          {people.map((who, at) => (
            <Figure key={who} who={who} x={24 + at * (people.length > 2 ? 32 : 48)} y={16} scale={0.8} />
          ))}
        </g>
      ))}
      <path class="arrow" d="M278 95h52m-12-10 12 10-12 10" />
      {PEOPLE.map(({ count }, who) => (
        <g key={who} transform={`translate(356 ${4 + who * 62})`}>
          <rect class="line" width="276" height="56" rx="6" />
          {Array.from({ length: count }, (_, at) => (
            <Figure key={at} who={who} x={26 + at * 40} y={5} scale={0.66} />
          ))}
        </g>
      ))}
    </svg>
  );
}

interface FigureProps {
  readonly who: number;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

function Figure({ who, x, y, scale }: FigureProps) {
  const { top, legs } = PEOPLE[who] ?? PEOPLE[0];
  return (
    <g transform={`translate(${x} ${y}) scale(${scale})`}>
      <circle cx="0" cy="8" r="7" fill="#c89f82" />
      <rect x="-10" y="17" width="20" height="25" rx="6" fill={top} />
      <path d="M-8 42h16v28h-6V48h-4v22h-6z" fill={legs} />
    </g>
  );
}
