/**
 * Eigenvalues of BᵀB for a bidiagonal B by the differential quotient-difference algorithm with shifts.
 * Fernando & Parlett, Accurate singular values and differential qd algorithms, Numer. Math. 67 (1994);
 * shifts and the treatment of shifts that were too large follow Parlett & Marques, An implementation of the
 * dqds algorithm (positive case), Linear Algebra Appl. 309 (2000) = LAPACK Working Note 155.
 */
import { bisectedEigenvalues } from "./dqdsBisection";
import { chooseShift, type Trail } from "./dqdsShift";
import type { KernelModule } from "./kernels";

/** Numbers that the kernel writes about one transformation. */
const MINIMA = 8;
/** LAPACK allows 100 transformations for each value; a handful is normal. */
const MOST_PASSES = 100;
/** More than any q of a matrix whose largest entry is below two: BᵀB has norm at most 16. */
const SCALE = 16;
/** The array is turned around when its small end is at the top by this factor. */
const FLIP = 1.5;

/** A piece of the matrix that nothing couples to the rest. */
interface Segment {
  readonly first: number;
  readonly length: number;
  /** Sum of the shifts so far. */
  readonly sigma: number;
}

export class Dqds {
  private readonly found: number[] = [];
  /** Whole arrays in the kernels' memory: where segments wait, and the other side of a transformation. */
  private readonly home: readonly [Float64Array, Float64Array];
  private readonly other: readonly [Float64Array, Float64Array];
  private readonly minima: Float64Array;
  /** The segment in work. */
  private q: Float64Array;
  private e: Float64Array;
  private nextQ: Float64Array;
  private nextE: Float64Array;

  /**
   * @param squares of the diagonal, and of the superdiagonal with one unused element
   * @param tolerance a superdiagonal entry below this part of a singular value is negligible
   * @param mostPasses for each value of a segment, before bisection takes it over
   */
  constructor(
    squares: { readonly q: Float64Array; readonly e: Float64Array },
    private readonly tolerance: number,
    private readonly module: KernelModule,
    private readonly mostPasses = MOST_PASSES,
  ) {
    const n = squares.q.length;
    const [q, e, nextQ, nextE, minima] = module.allocate("float64", n, n, n, n, MINIMA) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    q.set(squares.q);
    e.set(squares.e);
    this.home = [q, e];
    this.other = [nextQ, nextE];
    this.minima = minima;
    [this.q, this.e, this.nextQ, this.nextE] = [q, e, nextQ, nextE];
  }

  /** In no order; none is negative. */
  eigenvalues(): Float64Array {
    const segments: Segment[] = [{ first: 0, length: this.q.length, sigma: 0 }];
    for (let segment = segments.pop(); segment; segment = segments.pop()) {
      const { first, length } = segment;
      [this.q, this.e] = this.home.map((array) => array.subarray(first, first + length)) as [Float64Array, Float64Array];
      [this.nextQ, this.nextE] = this.other.map((array) => array.subarray(first, first + length)) as [Float64Array, Float64Array];
      this.solve(segment, segments);
    }
    return Float64Array.from(this.found);
  }

  /** Takes one segment to its end, or to where it falls in two. */
  private solve(segment: Segment, segments: Segment[]): void {
    let last = segment.length - 1;
    let { sigma } = segment;
    this.flip(last);
    const trail: Trail = { dmin: 0, dmin1: 0, dmin2: 0, dn: 0, dn1: 0, dn2: 0, emin: 0, kind: 0, fraction: 0 };
    let compensation = 0;
    let known = false;
    const budget = this.mostPasses * this.q.length;
    for (let pass = 0; ; pass++) {
      const before = last;
      last = this.deflate(last, sigma);
      if (last < 0) return;
      const split = this.splitPoint(last, sigma, trail.emin);
      if (split >= 0) return this.split(segment.first, split, last, sigma, segments);
      if (pass > budget) {
        this.found.push(...bisectedEigenvalues(this.q, this.e, last, sigma));
        return;
      }
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

  private split(first: number, at: number, last: number, sigma: number, segments: Segment[]): void {
    this.home[0].set(this.q, first);
    this.home[1].set(this.e, first);
    segments.push({ first, length: at + 1, sigma }, { first: first + at + 1, length: last - at, sigma });
  }

  /** One transformation with the shift, or with a smaller one where that was too large. Returns the one that worked. */
  private transformSafely(last: number, sigma: number, wanted: number, trail: Trail): number {
    if (this.transformTwice(last, wanted, trail)) {
      this.swap();
      return wanted;
    }
    let shift = wanted;
    for (let attempt = 0; ; attempt++) {
      this.transform(last, shift, trail);
      const { dmin, dmin1, dn, dn1 } = trail;
      if (dmin >= 0) break;
      const lastE = this.nextE[last - 1]!;
      if (dmin1 > 0 && dmin < 0 && lastE < this.tolerance * (sigma + dn1) && Math.abs(dn) < this.tolerance * sigma) {
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
    this.swap();
    return shift;
  }

  private swap(): void {
    [this.q, this.nextQ] = [this.nextQ, this.q];
    [this.e, this.nextE] = [this.nextE, this.e];
  }

  /** A transformation with the shift and one without, in the time of one. False where the shift was too large. */
  private transformTwice(last: number, shift: number, trail: Trail): boolean {
    const { q, e, nextQ, nextE, minima } = this;
    this.module.transformQdTwice(q.byteOffset, e.byteOffset, nextQ.byteOffset, nextE.byteOffset, last, shift, minima.byteOffset);
    if (!(minima[0]! >= 0 && minima[7]! >= 0)) return false;
    this.readTrail(trail);
    return true;
  }

  /** One transformation to (nextQ, nextE); its minima go to the trail. */
  private transform(last: number, shift: number, trail: Trail): void {
    const { q, e, nextQ, nextE, minima } = this;
    this.module.transformQd(q.byteOffset, e.byteOffset, nextQ.byteOffset, nextE.byteOffset, last, shift, minima.byteOffset);
    this.readTrail(trail);
  }

  private readTrail(trail: Trail): void {
    const { minima } = this;
    trail.dmin = minima[0]!;
    trail.dmin1 = minima[1]!;
    trail.dmin2 = minima[2]!;
    trail.dn = minima[3]!;
    trail.dn1 = minima[4]!;
    trail.dn2 = minima[5]!;
    trail.emin = minima[6]!;
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
      if (last === 0 || e[last - 1]! <= this.tolerance ** 2 * (sigma + q[last]!)) {
        this.found.push(sigma + q[last]!);
        last -= 1;
      } else if (last === 1 || e[last - 2]! <= this.tolerance ** 2 * sigma || e[last - 2]! <= this.tolerance ** 2 * q[last - 2]!) {
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
    if (off > small * this.tolerance ** 2 && t !== 0) {
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
    if (emin > this.tolerance ** 2 * Math.max(SCALE, sigma)) return -1;
    for (let i = last - 2; i >= 0; i--) if (e[i]! <= this.tolerance ** 2 * sigma || e[i]! <= this.tolerance ** 2 * q[i]!) return i;
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
}
