import { solveFromRight } from "./cholesky";
import type { TruncatedSvd } from "./svd";
import { gramOf, times, transposedTimes } from "./denseProducts";

/** A sum of `rank` outer products: one matrix for each axis, size × rank, row-major. */
export interface Components {
  readonly rank: number;
  readonly factors: readonly Float64Array[];
}

export interface Fitted extends Components {
  /** ‖X − X̂‖_F², measured on the components themselves. */
  readonly error2: number;
}

/** Rounds of least squares that choose among starts, and of the one that is kept. */
const ROUNDS_TO_CHOOSE = 4, ROUNDS = 60;
/** A round that takes off less than this part of the error ends it. */
const LEAST_GAIN = 2e-4;
/** Where the components can fit the tensor exactly the error goes on falling by at least this part: then it may take as many rounds as these. */
const FAST_GAIN = 0.02, MOST_ROUNDS = 500;
/** An error of this part of ‖X‖² cannot be told from rounding. */
const ROUNDING = 1e-15;
/** Of the mean of the diagonal: components that grow against each other would make least squares singular. */
const RIDGE = 1e-13;

/**
 * The nearest sum of outer products that alternating least squares finds (Harshman, 1970; Kolda & Bader, 2009, §3.4): each
 * axis in turn is the best for the others. There are local optima, so it is tried from several starts.
 * @param values of the tensor, row-major, at least two axes
 * @param starts of one rank; the best after a few rounds is kept
 */
export function fitComponents(values: Float64Array, sizes: readonly number[], starts: readonly Components[]): Fitted {
  let best: Fitted | null = null;
  for (const start of starts) {
    const found = rounds(values, sizes, start, ROUNDS_TO_CHOOSE, ROUNDS_TO_CHOOSE);
    if (best === null || found.error2 < best.error2) best = found;
  }
  return rounds(values, sizes, best!, ROUNDS, MOST_ROUNDS);
}

/**
 * HOSVD: of each axis the left singular vectors of its unfolding, largest first (De Lathauwer et al., 2000).
 * @returns a matrix for each axis, with a row for each of its entries and as many columns as it has directions
 */
export async function axisBases(values: Float64Array, sizes: readonly number[], svd: TruncatedSvd): Promise<Float64Array[]> {
  return Promise.all(sizes.map(async (size, axis) => {
    const columns = values.length / size;
    return (await svd.truncate({ rows: size, columns, data: unfolded(values, sizes, axis) }, Math.min(size, columns))).left;
  }));
}

/** One axis against all others. */
function unfolded(values: Float64Array, sizes: readonly number[], axis: number): Float64Array {
  const own = sizes[axis]!, behind = sizes.slice(axis + 1).reduce((all, size) => all * size, 1), before = values.length / (own * behind);
  const out = new Float64Array(values.length);
  for (let i = 0; i < before; i++) {
    for (let j = 0; j < own; j++) out.set(values.subarray((i * own + j) * behind, (i * own + j + 1) * behind), (j * before + i) * behind);
  }
  return out;
}

function rounds(values: Float64Array, sizes: readonly number[], start: Components, usual: number, most: number): Fitted {
  const { rank } = start;
  const factors = start.factors.map((factor) => factor.slice());
  const grams = factors.map((factor) => gramOf(factor, rank));
  const size2 = values.reduce((sum, value) => sum + value * value, 0);
  let error2 = Infinity;
  for (let round = 0; round < most; round++) {
    const fitted2 = improve(values, sizes, factors, grams, rank);
    if (fitted2 === null) break;
    // What least squares fits is orthogonal to what it leaves. Rounding makes of this no more than a sign of when to stop.
    const left = size2 - fitted2;
    const gain = (error2 - left) / error2;
    error2 = left;
    if (error2 <= ROUNDING * size2 || (round > 0 && gain <= (round < usual ? LEAST_GAIN : FAST_GAIN))) break;
  }
  const before = errorOf(values, sizes, start), after = errorOf(values, sizes, { rank, factors });
  return after <= before ? { rank, factors, error2: after } : { ...start, error2: before };
}

/**
 * One round: the first axis from the others, then all others from the tensor contracted with the first.
 * @param grams FᵀF of each factor F, kept in step with them
 * @returns ‖X̂‖² after it; null where the equations could not be solved
 */
function improve(values: Float64Array, sizes: readonly number[], factors: Float64Array[], grams: Float64Array[], rank: number): number | null {
  const [first = 1, ...others] = sizes;
  const width = values.length / first;
  const solved = (axis: number, sums: Float64Array): boolean => {
    const gram = gramOfOthers(grams, axis, rank);
    let trace = 0;
    for (let r = 0; r < rank; r++) trace += gram[r * rank + r]!;
    if (!solveFromRight(gram, rank, sums, (RIDGE * trace) / rank)) return false;
    factors[axis] = sums;
    grams[axis] = gramOf(sums, rank);
    return true;
  };
  const products = outerRows(factors.slice(1), others, rank);
  if (!solved(0, times(values, first, width, products, rank))) return null;
  const contracted = transposedTimes(values, first, width, factors[0]!, rank);
  let sums: Float64Array = new Float64Array(0);
  for (let index = 0; index < others.length; index++) {
    sums = contractOthers(contracted, others, factors.slice(1), index, rank);
    if (!solved(index + 1, sums.slice())) return null;
  }
  return sums.reduce((sum, value, at) => sum + value * factors.at(-1)![at]!, 0);
}

/** Khatri–Rao product: row (i, j, …) is the elementwise product of the factors' rows i, j, …; the last axis is fastest. */
function outerRows(factors: readonly Float64Array[], sizes: readonly number[], rank: number): Float64Array {
  let rows: Float64Array = new Float64Array(rank).fill(1);
  for (const [axis, factor] of factors.entries()) {
    const count = rows.length / rank, size = sizes[axis]!;
    const next = new Float64Array(count * size * rank);
    for (let i = 0, to = 0; i < count; i++) {
      for (let j = 0; j < size; j++) for (let r = 0; r < rank; r++) next[to++] = rows[i * rank + r]! * factor[j * rank + r]!;
    }
    rows = next;
  }
  return rows;
}

/** Elementwise product of the Gram matrices of all axes but one. */
function gramOfOthers(grams: readonly Float64Array[], axis: number, rank: number): Float64Array {
  const all = new Float64Array(rank * rank).fill(1);
  for (const [index, gram] of grams.entries()) {
    if (index !== axis) for (let at = 0; at < all.length; at++) all[at]! *= gram[at]!;
  }
  return all;
}

/** Sums (a, b, …, rank) over all axes but one, each weighed with its factor. */
function contractOthers(values: Float64Array, sizes: readonly number[], factors: readonly Float64Array[], axis: number, rank: number): Float64Array {
  const after = sizes.slice(axis + 1).reduce((all, size) => all * size, 1);
  const own = sizes[axis]!;
  const before = outerRows(factors.slice(0, axis), sizes.slice(0, axis), rank), behind = outerRows(factors.slice(axis + 1), sizes.slice(axis + 1), rank);
  const out = new Float64Array(own * rank);
  for (let i = 0, at = 0; i < before.length; i += rank) {
    for (let j = 0; j < own; j++) {
      for (let k = 0; k < after; k++) for (let r = 0; r < rank; r++) out[j * rank + r]! += values[at++]! * before[i + r]! * behind[k * rank + r]!;
    }
  }
  return out;
}

function errorOf(values: Float64Array, [first = 1, ...others]: readonly number[], { rank, factors }: Components): number {
  const products = outerRows(factors.slice(1), others, rank);
  const rows = factors[0]!, width = values.length / first;
  let error2 = 0;
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < width; j++) {
      let difference = values[i * width + j]!;
      for (let r = 0, p = i * rank, q = j * rank; r < rank; r++) difference -= rows[p++]! * products[q++]!;
      error2 += difference * difference;
    }
  }
  return error2;
}
