import type { Bidiagonal } from "./bidiagonalize";
import { shiftedSweep, zeroShiftSweep, type OnRotation } from "./bidiagonalSweeps";
import { triangularPair } from "./triangularPair";

/** Unit roundoff of float64. */
const EPSILON = Number.EPSILON / 2;
/** Off-diagonal entries below this share of what is around them change no singular value by more than rounding (LAPACK's tolmul = ε^(−1/8)). */
const TOLERANCE = EPSILON ** (-1 / 8) * EPSILON;
/** Sweeps for each singular value; two suffice as a rule. */
const SWEEPS_PER_VALUE = 12;
/** A block that is graded upwards takes more when it is not turned. */
const UNTURNED_SWEEPS_PER_VALUE = 60;
const SMALLEST_NORMAL = 2 ** -1022;

/** The part [first, last] of the bidiagonal matrix that sweeps work on: no entry above its diagonal is negligible. */
interface Block {
  readonly first: number;
  readonly last: number;
}

/**
 * All singular values of an upper bidiagonal matrix, each to high relative accuracy, by the implicit zero-shift QR
 * iteration (Demmel & Kahan, Accurate singular values of bidiagonal matrices, LAPACK Working Note 3, 1990; as in
 * LAPACK's dbdsqr). O(n²).
 *
 * @param matrix finite entries; overwritten
 * @returns singular values, largest first
 * @throws Error when the iteration does not converge, which finite entries do not cause
 */
export function bidiagonalSingularValues(matrix: Bidiagonal): Float64Array {
  diagonalize(matrix);
  return matrix.diagonal.map(Math.abs).sort().reverse();
}

/**
 * The same iteration, with the right singular vectors: without turning blocks, which would exchange the sides.
 * @param matrix finite entries; overwritten by ± the singular values, in no order
 * @param onRight told every rotation from the right, in turn
 */
export function diagonalizeWithRight(matrix: Bidiagonal, onRight: OnRotation): void {
  diagonalize(matrix, onRight);
}

function diagonalize({ diagonal: d, above: e }: Bidiagonal, onRight?: OnRotation): void {
  const n = d.length;
  const threshold = absoluteThreshold(d, e);
  let steps = (onRight === undefined ? SWEEPS_PER_VALUE : UNTURNED_SWEEPS_PER_VALUE) * n * n;
  let last = n - 1;
  let swept: Block | null = null;
  while (last > 0) {
    const first = startOfBlock(e, last, threshold);
    if (first === last) {
      last--;
      continue;
    }
    if (first === last - 1 && onRight === undefined) {
      const { larger, smaller } = triangularPair(d[first]!, e[first]!, d[last]!);
      [d[first], e[first], d[last]] = [larger, 0, smaller];
      last -= 2;
      continue;
    }
    if (onRight === undefined && (swept === null || first > swept.last || last < swept.first)) turnLargeSideUp(d, e, { first, last });
    swept = { first, last };
    const smallest = deflate(d, e, swept);
    if (smallest === null) continue;
    sweep(d, e, swept, smallest, n, onRight);
    if (Math.abs(e[last - 1]!) <= threshold) e[last - 1] = 0;
    steps -= last - first;
    if (steps < 0) throw new Error(`the QR iteration on a bidiagonal matrix of order ${n} does not converge`);
  }
}

/** Entries at or below it are zero to high relative accuracy: a lower bound of σ_min, times the tolerance (LAWN 3, §4). */
function absoluteThreshold(d: Float64Array, e: Float64Array): number {
  const n = d.length;
  let mu = Math.abs(d[0]!);
  let bound = mu;
  for (let i = 1; i < n && bound > 0; i++) {
    mu = Math.abs(d[i]!) * (mu / (mu + Math.abs(e[i - 1]!)));
    bound = Math.min(bound, mu);
  }
  return Math.max((TOLERANCE * bound) / Math.sqrt(n), n * n * SMALLEST_NORMAL);
}

/** Goes up from `last` to the next negligible entry above the diagonal, which becomes zero. */
function startOfBlock(e: Float64Array, last: number, threshold: number): number {
  let first = last;
  while (first > 0 && Math.abs(e[first - 1]!) > threshold) first--;
  if (first > 0) e[first - 1] = 0;
  return first;
}

/**
 * Sweeps go from top to bottom and converge when the large entries are at the top. A block that is graded the other
 * way is turned: reversing both orders and transposing gives an upper bidiagonal matrix of the same singular values.
 */
function turnLargeSideUp(d: Float64Array, e: Float64Array, { first, last }: Block): void {
  if (Math.abs(d[first]!) >= Math.abs(d[last]!)) return;
  d.subarray(first, last + 1).reverse();
  e.subarray(first, last).reverse();
}

/**
 * Sets the first negligible entry above the diagonal to zero (LAWN 3, convergence criteria 1).
 * @returns null when one was set to zero, otherwise a lower bound of the block's smallest singular value
 */
function deflate(d: Float64Array, e: Float64Array, { first, last }: Block): number | null {
  if (Math.abs(e[last - 1]!) <= TOLERANCE * Math.abs(d[last]!)) {
    e[last - 1] = 0;
    return null;
  }
  let mu = Math.abs(d[first]!);
  let smallest = mu;
  for (let i = first; i < last; i++) {
    const off = Math.abs(e[i]!);
    if (off <= TOLERANCE * mu) {
      e[i] = 0;
      return null;
    }
    mu = Math.abs(d[i + 1]!) * (mu / (mu + off));
    smallest = Math.min(smallest, mu);
  }
  return smallest;
}

/** One sweep with the shift of the last 2 × 2 block, or without a shift where that would cost relative accuracy. */
function sweep(d: Float64Array, e: Float64Array, { first, last }: Block, smallest: number, n: number, onRight?: OnRotation): void {
  let largest = Math.abs(d[last]!);
  for (let i = first; i < last; i++) largest = Math.max(largest, Math.abs(d[i]!), Math.abs(e[i]!));
  const graded = n * TOLERANCE * (smallest / largest) <= Math.max(EPSILON, 0.01 * TOLERANCE);
  const shift = graded ? 0 : triangularPair(d[last - 1]!, e[last - 1]!, d[last]!).smaller;
  const start = Math.abs(d[first]!);
  if (shift === 0 || (shift / start) ** 2 < EPSILON) zeroShiftSweep(d, e, first, last, onRight);
  else shiftedSweep(d, e, first, last, shift, onRight);
}
