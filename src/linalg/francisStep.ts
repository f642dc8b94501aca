/** The two shifts of a step, as the roots of (λ − x)(λ − y) = w. */
export interface Shift {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

/** A reflector on three consecutive rows or columns (two at the end of a block): I − (1, q, r)ᵀ (x, y, z). */
interface SmallReflector {
  readonly q: number;
  readonly r: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Length of what it maps to −length · e₁, with the sign of the first entry. */
  readonly length: number;
}

/**
 * One implicit double-shift QR step on rows and columns [first, last] of an upper Hessenberg matrix, at least three
 * of them (Golub & Van Loan, algorithm 7.5.1; EISPACK's hqr). Only the block itself is transformed: eigenvalues need no more.
 */
export function francisStep(h: Float64Array, n: number, first: number, last: number, shift: Shift): void {
  const start = startOfBulge(h, n, first, last, shift);
  const { row } = start;
  for (let k = row; k < last; k++) {
    const three = k < last - 1;
    const at = k * n + k - 1;
    const [p, q, r] = k === row ? [start.p, start.q, start.r] : [h[at]!, h[at + n]!, three ? h[at + 2 * n]! : 0];
    const reflector = smallReflector(p, q, r);
    if (reflector === null) continue;
    if (k > row) h[at] = -reflector.length;
    else if (first !== row) h[at] = -h[at]!;
    if (k > row) {
      h[at + n] = 0;
      if (three) h[at + 2 * n] = 0;
    }
    applyToRows(h, n, k, last, three, reflector);
    applyToColumns(h, n, k, first, Math.min(last, k + 3), three, reflector);
  }
}

interface BulgeStart {
  readonly row: number;
  readonly p: number;
  readonly q: number;
  readonly r: number;
}

/** First column of (H − λ₁)(H − λ₂), at the lowest row from which the step may start because two consecutive subdiagonals are small. */
function startOfBulge(h: Float64Array, n: number, first: number, last: number, { x, y, w }: Shift): BulgeStart {
  for (let m = last - 2; ; m--) {
    const d = m * n + m;
    const z = h[d]!;
    const below = h[d + n]!;
    const p0 = ((x - z) * (y - z) - w) / below + h[d + 1]!;
    const q0 = h[d + n + 1]! - z - (x - z) - (y - z);
    const r0 = h[d + 2 * n + 1]!;
    const size = Math.abs(p0) + Math.abs(q0) + Math.abs(r0);
    const [p, q, r] = [p0 / size, q0 / size, r0 / size];
    if (m === first) return { row: m, p, q, r };
    const lost = Math.abs(h[d - 1]!) * (Math.abs(q) + Math.abs(r));
    const kept = Math.abs(p) * (Math.abs(h[d - n - 1]!) + Math.abs(z) + Math.abs(h[d + n + 1]!));
    if (lost <= Number.EPSILON * kept) return { row: m, p, q, r };
  }
}

/** null for the zero vector. */
function smallReflector(p: number, q: number, r: number): SmallReflector | null {
  const norm = Math.hypot(p, q, r);
  if (norm === 0) return null;
  const length = p >= 0 ? norm : -norm;
  const head = p + length;
  return { q: q / head, r: r / head, x: head / length, y: q / length, z: r / length, length };
}

function applyToRows(h: Float64Array, n: number, k: number, last: number, three: boolean, { q, r, x, y, z }: SmallReflector): void {
  let p0 = k * n + k;
  let p1 = p0 + n;
  let p2 = p1 + n;
  for (let j = k; j <= last; j++, p0++, p1++, p2++) {
    const sum = three ? h[p0]! + q * h[p1]! + r * h[p2]! : h[p0]! + q * h[p1]!;
    h[p0]! -= sum * x;
    h[p1]! -= sum * y;
    if (three) h[p2]! -= sum * z;
  }
}

function applyToColumns(h: Float64Array, n: number, k: number, first: number, end: number, three: boolean, { q, r, x, y, z }: SmallReflector): void {
  for (let i = first, p = first * n + k; i <= end; i++, p += n) {
    const sum = three ? x * h[p]! + y * h[p + 1]! + z * h[p + 2]! : x * h[p]! + y * h[p + 1]!;
    h[p]! -= sum;
    h[p + 1]! -= sum * q;
    if (three) h[p + 2]! -= sum * r;
  }
}
