/**
 * Eigenvalues of BᵀB for a bidiagonal B by the differential quotient-difference algorithm with shifts.
 * Fernando & Parlett, Accurate singular values and differential qd algorithms, Numer. Math. 67 (1994);
 * shifts and the treatment of shifts that were too large follow Parlett & Marques, An implementation of the
 * dqds algorithm (positive case), Linear Algebra Appl. 309 (2000) = LAPACK Working Note 155.
 */
import { chooseShift, type Trail } from "./dqdsShift";

/** A negligible off-diagonal, relative to the eigenvalue: (100 ε)², as in LAPACK. */
const TOLERANCE = (100 * Number.EPSILON) ** 2;
/** LAPACK allows 100 transformations for each value; a handful is normal. */
const MOST_PASSES = 100;
/** More than any q of a matrix whose largest entry is below two: BᵀB has norm at most 16. */
const SCALE = 16;
/** The array is turned around when its small end is at the top by this factor. */
const FLIP = 1.5;

/** A piece of the matrix that nothing couples to the rest. */
interface Segment {
  readonly q: Float64Array;
  /** As long as q; the last element is unused. */
  readonly e: Float64Array;
  /** Sum of the shifts so far. */
  readonly sigma: number;
}

export class Dqds {
  private readonly found: number[] = [];
  private nextQ = new Float64Array(0);
  private nextE = this.nextQ;

  /** @param q squares of the diagonal @param e squares of the superdiagonal, and one unused element; both are overwritten */
  constructor(private q: Float64Array, private e: Float64Array) {}

  /** In no order; none is negative. */
  eigenvalues(): Float64Array {
    const segments: Segment[] = [{ q: this.q, e: this.e, sigma: 0 }];
    for (let segment = segments.pop(); segment; segment = segments.pop()) {
      this.q = segment.q;
      this.e = segment.e;
      this.nextQ = new Float64Array(segment.q.length);
      this.nextE = new Float64Array(segment.q.length);
      this.solve(segment.sigma, segments);
    }
    return Float64Array.from(this.found);
  }

  /** Takes one segment to its end, or to where it falls in two. */
  private solve(start: number, segments: Segment[]): void {
    let last = this.q.length - 1;
    let sigma = start;
    this.flip(last);
    const trail: Trail = { dmin: 0, dmin1: 0, dmin2: 0, dn: 0, dn1: 0, dn2: 0, emin: 0, kind: 0, fraction: 0 };
    let compensation = 0;
    let known = false;
    const budget = MOST_PASSES * this.q.length;
    for (let pass = 0; ; pass++) {
      const before = last;
      last = this.deflate(last, sigma);
      if (last < 0) return;
      const split = this.splitPoint(last, sigma, trail.emin);
      if (split >= 0) return this.split(split, last, sigma, segments);
      if (pass > budget) return this.bisect(last, sigma);
      const deflated = before - last;
      if (deflated > 0 && this.flip(last)) known = false;
      const wanted = known ? chooseShift(this.q, this.e, last, deflated, trail) : 0;
      const shift = this.transformSafely(last, sigma, wanted, trail);
      known = true;
      // Kahan's summation: the shifts are what the values are made of.
      const total = sigma + (shift + compensation);
      compensation += shift - (total - sigma);
      sigma = total;
    }
  }

  private split(at: number, last: number, sigma: number, segments: Segment[]): void {
    const { q, e } = this;
    segments.push({ q: q.slice(0, at + 1), e: e.slice(0, at + 1), sigma }, { q: q.slice(at + 1, last + 1), e: e.slice(at + 1, last + 1), sigma });
  }

  /** One transformation with the shift, or with a smaller one where that was too large. Returns the one that worked. */
  private transformSafely(last: number, sigma: number, wanted: number, trail: Trail): number {
    let shift = wanted;
    for (let attempt = 0; ; attempt++) {
      this.transform(last, shift, trail);
      const { dmin, dmin1, dn, dn1 } = trail;
      if (dmin >= 0) break;
      const lastE = this.nextE[last - 1]!;
      if (dmin1 > 0 && dmin < 0 && lastE < TOLERANCE ** 0.5 * (sigma + dn1) && Math.abs(dn) < TOLERANCE ** 0.5 * sigma) {
        // Converged, hidden by rounding.
        this.nextQ[last] = 0;
        trail.dmin = trail.dn = 0;
        break;
      }
      if (shift === 0) {
        this.repairUnshifted(last, trail);
        break;
      }
      if (!(dmin < 0) || attempt >= 2) shift = 0;
      // Only the last quotient failed: its value says by how much.
      else if (dmin1 > 0) shift = Math.max(0, (shift + dmin) * (1 - 2 * Number.EPSILON));
      else shift /= 4;
      trail.kind = -18;
    }
    [this.q, this.nextQ] = [this.nextQ, this.q];
    [this.e, this.nextE] = [this.nextE, this.e];
    return shift;
  }

  /** dqds: (q, e) → (nextQ, nextE) with LᵀL' = U Lᵀ − shift; the d's minima go to the trail. */
  private transform(last: number, shift: number, trail: Trail): void {
    const { q, e, nextQ, nextE } = this;
    let d = q[0]! - shift;
    let dmin = d;
    let dmin1 = d;
    let dmin2 = d;
    let emin = Infinity;
    let dn1 = d;
    let dn2 = d;
    for (let i = 0; i < last; i++) {
      const sum = d + e[i]!;
      const ratio = q[i + 1]! / sum;
      nextQ[i] = sum;
      const off = e[i]! * ratio;
      nextE[i] = off;
      emin = off < emin ? off : emin;
      dn2 = dn1;
      dn1 = d;
      dmin2 = dmin1;
      dmin1 = dmin;
      d = d * ratio - shift;
      // A NaN is kept: it makes the comparison that decides about success fail.
      dmin = d < dmin ? d : d === d ? dmin : NaN;
    }
    nextQ[last] = d;
    Object.assign(trail, { dmin, dmin1, dmin2, dn: d, dn1, dn2, emin });
  }

  /** The transformation without a shift where a quotient 0/0 appears (LAPACK's dlasq6): 0/0 counts as 0. */
  private repairUnshifted(last: number, trail: Trail): void {
    const { q, e, nextQ, nextE } = this;
    let d = q[0]!;
    let dmin = d;
    for (let i = 0; i < last; i++) {
      const sum = d + e[i]!;
      nextQ[i] = sum;
      const ratio = sum === 0 ? 0 : q[i + 1]! / sum;
      nextE[i] = e[i]! * ratio;
      d = sum === 0 ? q[i + 1]! : d * ratio;
      dmin = Math.min(dmin, d);
    }
    nextQ[last] = d;
    Object.assign(trail, { dmin, dmin1: dmin, dmin2: dmin, dn: d, dn1: dmin, dn2: dmin, emin: 0 });
  }

  /** Takes converged values off the end; returns the new last index. */
  private deflate(last: number, sigma: number): number {
    const { q, e } = this;
    while (last >= 0) {
      if (last === 0 || e[last - 1]! <= TOLERANCE * (sigma + q[last]!)) {
        this.found.push(sigma + q[last]!);
        last -= 1;
      } else if (last === 1 || e[last - 2]! <= TOLERANCE * sigma || e[last - 2]! <= TOLERANCE * q[last - 2]!) {
        this.pair(last, sigma);
        last -= 2;
      } else break;
    }
    return last;
  }

  /** The two eigenvalues of a trailing 2 × 2 block (LAPACK's dlasq3). */
  private pair(last: number, sigma: number): void {
    const { q, e } = this;
    let [large, small] = [q[last - 1]!, q[last]!];
    const off = e[last - 1]!;
    if (small > large) [large, small] = [small, large];
    const t = 0.5 * (large - small + off);
    if (off > small * TOLERANCE && t !== 0) {
      const ratio = small * (off / t);
      const s = ratio <= 0 ? 0 : ratio <= t ? small * (off / (t * (1 + Math.sqrt(1 + ratio / t)))) : small * (off / (t + Math.sqrt(t) * Math.sqrt(t + ratio)));
      const sum = large + (s + off);
      small *= large / sum;
      large = sum;
    }
    this.found.push(sigma + large, sigma + small);
  }

  /** An index whose e is negligible, or −1. The last one is deflation's. */
  private splitPoint(last: number, sigma: number, emin: number): number {
    const { q, e } = this;
    // The q's are below one until the shifts have taken most of them: a cheap test for the usual case.
    if (emin > TOLERANCE * Math.max(SCALE, sigma)) return -1;
    for (let i = last - 2; i >= 0; i--) if (e[i]! <= TOLERANCE * sigma || e[i]! <= TOLERANCE * q[i]!) return i;
    return -1;
  }

  /** Puts the small end last, where values converge; the eigenvalues are the same. */
  private flip(last: number): boolean {
    const { q, e } = this;
    if (last <= 0 || FLIP * q[0]! >= q[last]!) return false;
    q.subarray(0, last + 1).reverse();
    e.subarray(0, last).reverse();
    return true;
  }

  /** The segment's values by bisection on the number of negative pivots: slow, and never fails. */
  private bisect(last: number, sigma: number): void {
    const { q, e } = this;
    let top = 0;
    for (let i = 0; i <= last; i++) top = Math.max(top, q[i]! + 2 * Math.sqrt(q[i]! * e[i]!) + e[i]! + (i > 0 ? 2 * e[i - 1]! : 0));
    const below = (x: number): number => {
      let count = 0;
      let d = q[0]! - x;
      for (let i = 0; i <= last; i++) {
        if (d < 0) count++;
        if (i < last) d = d * (q[i + 1]! / (d + e[i]! || Number.MIN_VALUE)) - x;
      }
      return count;
    };
    for (let k = 0; k <= last; k++) {
      let [low, high] = [0, 4 * top];
      while (high - low > Number.EPSILON * (sigma + high)) {
        const middle = 0.5 * (low + high);
        if (middle === low || middle === high) break;
        if (below(middle) > k) high = middle;
        else low = middle;
      }
      this.found.push(sigma + 0.5 * (low + high));
    }
  }
}
