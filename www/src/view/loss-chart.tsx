import { words } from "../words.ts";

const WIDTH = 600;
const HEIGHT = 160;
/** Batches differ: the bold line is the mean of that many steps. */
const SMOOTH = 8;

interface Props {
  readonly losses: readonly number[];
  /** How many there will be, which the whole width stands for. */
  readonly steps: number;
}

/** How wrong the model is, step by step: a thin line as it is, a bold one smoothed, and the same in words. */
export function LossChart({ losses, steps }: Props) {
  if (losses.length === 0) return null;
  const smooth = losses.map((_, i) => mean(losses.slice(Math.max(0, i + 1 - SMOOTH), i + 1)));
  const highest = Math.max(...losses, Number.MIN_VALUE);
  const points = (values: readonly number[]) =>
    values
      .map((value, i) => {
        const x = (i / Math.max(1, steps - 1)) * WIDTH;
        return `${x.toFixed(1)},${(HEIGHT - (value / highest) * (HEIGHT - 4)).toFixed(1)}`;
      })
      .join(" ");
  return (
    <figure class="loss">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline class="raw" points={points(losses)} />
        <polyline class="smooth" points={points(smooth)} />
      </svg>
      <figcaption class="note">
        {words.learning.chart} <span class="loss-words">{inWords(losses, smooth)}</span>
      </figcaption>
    </figure>
  );
}

function inWords(losses: readonly number[], smooth: readonly number[]): string {
  const start = mean(losses.slice(0, SMOOTH));
  const now = smooth.at(-1) ?? start;
  const { lossSoFar, lossMoved } = words.learning;
  if (losses.length <= SMOOTH) return lossSoFar(losses.length, now.toFixed(2));
  return lossMoved(now < start, start.toFixed(2), now.toFixed(2), losses.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
