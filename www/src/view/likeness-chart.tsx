import type { Histograms } from "../state/cut-off.ts";
import { likenessOf, words } from "../words.ts";

const WIDTH = 600;
const HEIGHT = 180;
const w = words.cutOff;

interface Props extends Histograms {
  readonly at: number;
}

/** How alike pairs of one person are, above the line, and of two people, below it; and the same in words. */
export function LikenessChart({ from, to, same, different, at }: Props) {
  const [ofOne, ofTwo] = [sum(same), sum(different)];
  const tallest = Math.max(...same.map((n) => n / ofOne), ...different.map((n) => n / ofTwo));
  const step = WIDTH / same.length;
  const bars = (counts: readonly number[], total: number, isUp: boolean) =>
    counts.map((n, i) => {
      const height = (n / total / tallest) * (HEIGHT / 2 - 2);
      const y = isUp ? HEIGHT / 2 - height : HEIGHT / 2;
      return <rect key={i} x={i * step + 1} y={y} width={step - 2} height={height} rx={2} />;
    });
  const x = ((at - from) / (to - from)) * WIDTH;
  const quarters = (counts: readonly number[]) =>
    [0.25, 0.75].map((share) => likenessOf(from + ((to - from) * quantile(counts, share)) / counts.length));
  const inWords = w.inWords(quarters(same), quarters(different));
  return (
    <figure class="likeness">
      <p class="likeness-legend one">{w.ofOne(ofOne)}</p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${w.chart}. ${inWords}`}>
        <g class="one">{bars(same, ofOne, true)}</g>
        <g class="two">{bars(different, ofTwo, false)}</g>
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        <line class="at" x1={x} x2={x} y1="0" y2={HEIGHT} />
      </svg>
      <p class="likeness-legend two">{w.ofTwo(ofTwo)}</p>
      <figcaption class="note">
        <span class="likeness-axis">
          <span>{from.toFixed(2)}</span>
          <span>{w.axis}</span>
          <span>{to.toFixed(2)}</span>
        </span>
        {inWords}
      </figcaption>
    </figure>
  );
}

/** In steps, where that share of all is reached. */
function quantile(counts: readonly number[], share: number): number {
  let left = share * sum(counts);
  for (const [i, n] of counts.entries()) {
    if (n > 0 && left <= n) return i + left / n;
    left -= n;
  }
  return counts.length;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, n) => total + n, 0);
}
