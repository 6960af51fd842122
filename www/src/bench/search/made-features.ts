// Features like those of photos of people, and who is most alike among them.
import { mulberry32 } from "../noise.ts";

/** As measured on 188 people's features (OSNet, Market-1501): half of what varies lies along a twentieth of the directions. */
const SPREAD = { people: 40 / 512, photos: 60 / 512 };
/** Shares of a feature's square: what all have in common, what photos of one person have, and each on its own. */
const SHARES = { all: 0.09, person: 0.5, photo: 0.41 };
/** Photos of a person, on average; many have few and few have many. */
const PHOTOS = 12;

/** `[count + queries, dim]`, rows of length 1; the queries are further photos of people that are there. `dim` is a power of 2. */
export function madeFeatures(count: number, queries: number, dim: number, seed: number): Float32Array<ArrayBuffer> {
  const integer = mulberry32(seed);
  const uniform = () => ((integer() >>> 0) + 0.5) / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const vector = (deviations: readonly number[]) => deviations.map((deviation) => deviation * normal());
  const decaying = (share: number, spread: number) => {
    const variances = Array.from({ length: dim }, (_, k) => Math.exp(-k / (spread * dim)));
    const sum = variances.reduce((a, b) => a + b);
    return variances.map((variance) => Math.sqrt((share * variance) / sum));
  };
  const ofPerson = decaying(SHARES.person, SPREAD.people);
  const ofPhoto = decaying(SHARES.photo, SPREAD.photos);
  const common = vector(decaying(SHARES.all, SPREAD.people));
  const signs = common.map(() => (uniform() < 0.5 ? -1 : 1));
  const owners = ownersOf(count, uniform);
  const people: number[][] = [];
  const rows = new Float32Array((count + queries) * dim);
  const row = new Float64Array(dim);
  for (let i = 0; i < count + queries; i++) {
    const owner = owners[i < count ? i : Math.floor(uniform() * count)] ?? 0;
    people[owner] ??= vector(ofPerson);
    const person = people[owner] ?? [];
    for (let k = 0; k < dim; k++) {
      const value = (common[k] ?? 0) + (person[k] ?? 0) + (ofPhoto[k] ?? 0) * normal();
      row[k] = (signs[k] ?? 1) * value;
    }
    mix(row);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < dim; k++) rows[i * dim + k] = (row[k] ?? 0) / length;
  }
  return rows;
}

/** Whose photo each is, in no order. */
function ownersOf(count: number, uniform: () => number): Uint32Array {
  const owners = new Uint32Array(count);
  for (let i = 0, person = 0; i < count; person++) {
    const photos = 1 + Math.floor(-PHOTOS * Math.log(uniform()));
    for (let n = 0; n < photos && i < count; n++) owners[i++] = person;
  }
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [owners[i], owners[j]] = [owners[j] ?? 0, owners[i] ?? 0];
  }
  return owners;
}

/** Turns it so that no value says more than others (Walsh and Hadamard's transform). */
function mix(row: Float64Array): void {
  for (let half = 1; half < row.length; half *= 2) {
    for (let start = 0; start < row.length; start += 2 * half) {
      for (let k = start; k < start + half; k++) {
        const [a, b] = [row[k] ?? 0, row[k + half] ?? 0];
        row[k] = a + b;
        row[k + half] = a - b;
      }
    }
  }
}

/** Of each query the `top` most alike among the first `count` rows, summed in 64 bits. */
export function mostAlike(
  rows: Float32Array,
  { count, total, dim, top }: { count: number; total: number; dim: number; top: number },
): number[][] {
  const found: number[][] = [];
  const similarities = new Float64Array(count);
  for (let at = total * dim; at < rows.length; at += dim) {
    const query = rows.subarray(at, at + dim);
    for (let i = 0; i < count; i++) {
      let [a, b] = [0, 0];
      for (let k = 0; k < dim; k += 2) {
        a += (query[k] as number) * (rows[i * dim + k] as number);
        b += (query[k + 1] as number) * (rows[i * dim + k + 1] as number);
      }
      similarities[i] = a + b;
    }
    const least = similarities.toSorted().at(-top) ?? Number.NEGATIVE_INFINITY;
    const places = Array.from(similarities.keys()).filter((i) => (similarities[i] as number) >= least);
    found.push(places.sort((i, j) => (similarities[j] as number) - (similarities[i] as number)).slice(0, top));
  }
  return found;
}
