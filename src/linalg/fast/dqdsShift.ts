/**
 * The next shift of the dqds algorithm: a lower bound of the smallest eigenvalue that is nearly always below it,
 * from the last quotients of the transformation before. Parlett & Marques 2000, section 6 (LAPACK's dlasq4).
 */

/** What the last transformation left: minima of its d's (all, without the last, without the last two) and its last d's. */
export interface Trail {
  dmin: number;
  dmin1: number;
  dmin2: number;
  dn: number;
  dn1: number;
  dn2: number;
  /** The smallest e that it made. */
  emin: number;
  /** Number of the case that chose the last shift, negative; −18 after a shift that was too large. */
  kind: number;
  /** The part of dmin that case 6 takes. */
  fraction: number;
}

/** Parlett & Marques: the residual bound helps only below this. */
const RESIDUAL_LIMIT = 0.563;
const SAFETY = 1.05;
const SAFETY_AFTER = 1.01;

/** @param deflated values that converged in the transformation before */
export function chooseShift(q: Float64Array, e: Float64Array, last: number, deflated: number, trail: Trail): number {
  if (trail.dmin <= 0) return 0;
  if (deflated === 0) return nothingDeflated(q, e, last, trail);
  if (deflated === 1) return oneDeflated(q, e, last, trail);
  return afterMore(trail);
}

function nothingDeflated(q: Float64Array, e: Float64Array, last: number, trail: Trail): number {
  const { dmin, dmin1, dmin2, dn, dn1, dn2 } = trail;
  const quarter = 0.25 * dmin;
  if (dmin === dn || dmin === dn1) {
    if (dmin === dn && dmin1 === dn1) return nearDiagonal(q, e, last, dmin, dn, dmin2, trail);
    trail.kind = -4;
    if (dmin === dn) return residualBound(q, e, last - 1, 0, dn) ?? quarter;
    if (last - 2 < 0 || e[last - 1]! > q[last]!) return quarter;
    return residualBound(q, e, last - 2, e[last - 1]! / q[last]!, dn1) ?? quarter;
  }
  if (dmin === dn2 && last - 2 >= 0) {
    trail.kind = -5;
    const [b1, b2] = [q[last]!, q[last - 1]!];
    if (e[last - 2]! > b2 || e[last - 1]! > b1) return quarter;
    return residualBound(q, e, last - 3, (e[last - 2]! / b2) * (1 + e[last - 1]! / b1), dn2) ?? quarter;
  }
  trail.fraction = trail.kind === -6 ? trail.fraction + (1 - trail.fraction) / 3 : trail.kind === -18 ? 0.25 / 3 : 0.25;
  trail.kind = -6;
  return trail.fraction * dmin;
}

/** Cases 2 and 3: the last two d's are the two smallest; a gap bound for the trailing 2 × 2 block. */
function nearDiagonal(q: Float64Array, e: Float64Array, last: number, dmin: number, dn: number, dmin2: number, trail: Trail): number {
  const b1 = Math.sqrt(q[last]!) * Math.sqrt(e[last - 1]!);
  const b2 = last >= 2 ? Math.sqrt(q[last - 1]!) * Math.sqrt(e[last - 2]!) : 0;
  const a2 = q[last - 1]! + e[last - 1]!;
  const gap2 = dmin2 - a2 - 0.25 * dmin2;
  const gap1 = gap2 > 0 && gap2 > b2 ? a2 - dn - (b2 / gap2) * b2 : a2 - dn - (b1 + b2);
  if (gap1 > 0 && gap1 > b1) {
    trail.kind = -2;
    return Math.max(dn - (b1 / gap1) * b1, 0.5 * dmin);
  }
  trail.kind = -3;
  let shift = dn > b1 ? dn - b1 : 0;
  if (a2 > b1 + b2) shift = Math.min(shift, a2 - (b1 + b2));
  return Math.max(shift, dmin / 3);
}

/**
 * A Rayleigh quotient's residual bound γ (1 − √a)/(1 + a), where a sums the products of e/q upwards from `from`.
 * Undefined where it says nothing.
 */
function residualBound(q: Float64Array, e: Float64Array, from: number, start: number, gamma: number): number | undefined {
  let a = start;
  if (from >= 0) {
    if (e[from]! > q[from]!) return undefined;
    let b = e[from]! / q[from]!;
    a += b;
    for (let i = from - 1; i >= 0 && b !== 0; i--) {
      const previous = b;
      if (e[i]! > q[i]!) return undefined;
      b *= e[i]! / q[i]!;
      a += b;
      if (100 * Math.max(b, previous) < a || a > RESIDUAL_LIMIT) break;
    }
  }
  a *= SAFETY;
  return a < RESIDUAL_LIMIT ? (gamma * (1 - Math.sqrt(a))) / (1 + a) : undefined;
}

/** Cases 7 to 9. */
function oneDeflated(q: Float64Array, e: Float64Array, last: number, trail: Trail): number {
  const { dmin1, dmin2, dn1, dn2 } = trail;
  trail.kind = -9;
  if (dmin1 !== dn1 || dmin2 !== dn2) return dmin1 === dn1 ? 0.5 * dmin1 : 0.25 * dmin1;
  trail.kind = -7;
  const third = dmin1 / 3;
  if (last <= 0 || e[last - 1]! > q[last - 1]!) return third;
  let b1 = e[last - 1]! / q[last - 1]!;
  let b2 = b1;
  for (let i = last - 2; i >= 0 && b2 !== 0; i--) {
    const previous = b1;
    if (e[i]! > q[i]!) return third;
    b1 *= e[i]! / q[i]!;
    b2 += b1;
    if (100 * Math.max(b1, previous) < b2) break;
  }
  b2 = Math.sqrt(SAFETY * b2);
  const a = dmin1 / (1 + b2 * b2);
  const gap = 0.5 * dmin2 - a;
  if (gap > 0 && gap > b2 * a) return Math.max(third, a * (1 - SAFETY_AFTER * a * (b2 / gap) * b2));
  return Math.max(third, a * (1 - SAFETY_AFTER * b2));
}

/** Cases 10 to 12, without their residual bounds: two or more values at once are rare. */
function afterMore({ dmin2, dn2 }: Trail): number {
  return dmin2 === dn2 ? 0.25 * dmin2 : 0;
}
