/**
 * One sweep of the QR iteration over rows and columns [first, last] of an upper bidiagonal matrix, by rotations from
 * top to bottom (Demmel & Kahan, LAPACK Working Note 3, 1990; LAPACK's dbdsqr).
 */

/** A rotation of columns i and i + 1 that a sweep applies from the right, for whoever accumulates V. */
export type OnRotation = (i: number, cosine: number, sine: number) => void;

/** Below this, squares lose digits to underflow. */
const SAFE_LENGTH = 1e-140;

/** √(f² + g²). */
function length(f: number, g: number): number {
  const direct = Math.sqrt(f * f + g * g);
  return direct > SAFE_LENGTH ? direct : Math.hypot(f, g);
}

/** Zero shift: no subtraction occurs, so that even the smallest singular values keep all their digits. */
export function zeroShiftSweep(d: Float64Array, e: Float64Array, first: number, last: number, onRight?: OnRotation): void {
  let cosine = 1;
  let [before, beforeSine] = [1, 0];
  for (let i = first; i < last; i++) {
    const f = d[i]! * cosine;
    const r = length(f, e[i]!);
    const sine = r === 0 ? 0 : e[i]! / r;
    cosine = r === 0 ? 1 : f / r;
    onRight?.(i, cosine, sine);
    if (i > first) e[i - 1] = beforeSine * r;
    const [f2, g2] = [before * r, d[i + 1]! * sine];
    const r2 = length(f2, g2);
    beforeSine = r2 === 0 ? 0 : g2 / r2;
    before = r2 === 0 ? 1 : f2 / r2;
    d[i] = r2;
  }
  const end = d[last]! * cosine;
  d[last] = end * before;
  e[last - 1] = end * beforeSine;
}

/** @param shift an estimate of the smallest singular value; d[first] must not be zero */
export function shiftedSweep(d: Float64Array, e: Float64Array, first: number, last: number, shift: number, onRight?: OnRotation): void {
  const start = d[first]!;
  let f = (Math.abs(start) - shift) * (Math.sign(start) + shift / start);
  let g = e[first]!;
  for (let i = first; i < last; i++) {
    const r = length(f, g);
    const [cr, sr] = r === 0 ? [1, 0] : [f / r, g / r];
    onRight?.(i, cr, sr);
    if (i > first) e[i - 1] = r;
    f = cr * d[i]! + sr * e[i]!;
    const off = cr * e[i]! - sr * d[i]!;
    g = sr * d[i + 1]!;
    const next = cr * d[i + 1]!;
    const r2 = length(f, g);
    const [cl, sl] = r2 === 0 ? [1, 0] : [f / r2, g / r2];
    d[i] = r2;
    f = cl * off + sl * next;
    d[i + 1] = cl * next - sl * off;
    if (i < last - 1) {
      g = sl * e[i + 1]!;
      e[i + 1]! *= cl;
    }
  }
  e[last - 1] = f;
}
