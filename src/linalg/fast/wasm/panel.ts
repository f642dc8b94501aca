/**
 * Householder factorization of a panel whose vectors lie contiguous in memory: the columns of a column panel
 * stored transposed (QR), or the rows of a row panel (LQ). Golub & Van Loan, Matrix Computations, 5.2.
 */
import { sumLanes } from "./lanes";

/** v128 registers that one turn of the loops takes. */
const UNROLL: usize = 4;
/** Reflectors that are applied together to the vectors behind them, which then come from cache a quarter as often. */
const BLOCK = 4;

/**
 * Factorizes `count` vectors of `length` elements at `vectors` in place. Reflector j has its unit entry at
 * position offset + j, explicit zeros before it, and is I − τ v vᵀ. `length` is a multiple of 16 (f32) or 8 (f64).
 * @param factor count × count, row j holds what reflector 0 … j made of vector j (R transposed, or L)
 * @param taus count of them
 * @param negligible squared norm under which a tail counts as zero (denormals slow the machine)
 */
export function factorPanel<T>(vectors: usize, count: i32, length: i32, offset: i32, factor: usize, taus: usize, negligible: T): void {
  const stride = <usize>length * sizeof<T>();
  for (let first = 0; first < count; first += BLOCK) {
    const next = min(first + BLOCK, count);
    const block = vectors + <usize>first * stride;
    const start = alignDown<T>(offset + first);
    for (let j = first; j < next; j++) {
      const v = vectors + <usize>j * stride;
      const row = factor + <usize>(j * count) * sizeof<T>();
      for (let i = 0; i < j; i++) {
        const entry = v + <usize>(offset + i) * sizeof<T>();
        store<T>(row + <usize>i * sizeof<T>(), load<T>(entry));
        store<T>(entry, <T>0);
      }
      const tau = makeReflector<T>(v, offset + j, start, length, row + <usize>j * sizeof<T>(), negligible);
      store<T>(taus + <usize>j * sizeof<T>(), tau);
      if (tau == <T>0) continue;
      for (let i = j + 1; i < next; i++) reflectOne<T>(v, vectors + <usize>i * stride, start, length, tau);
    }
    if (next == count) break;
    reflectByBlock<T>(block, stride, count - next, start, length, taus + <usize>first * sizeof<T>());
  }
}

// @ts-ignore: decorator
@inline
function alignDown<T>(index: i32): i32 {
  return index & ~(<i32>((16 / sizeof<T>()) * UNROLL - 1));
}

/** Turns the vector at `v` into its reflector; stores β and returns τ (0: nothing to reflect). */
function makeReflector<T>(v: usize, pivot: i32, start: i32, length: i32, beta: usize, negligible: T): T {
  const at = v + <usize>pivot * sizeof<T>();
  const alpha = load<T>(at);
  store<T>(at, <T>0);
  const from = v + <usize>start * sizeof<T>();
  const end = v + <usize>length * sizeof<T>();
  let s0 = v128.splat<T>(<T>0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let p = from; p < end; p += 16 * UNROLL) {
    const a0 = v128.load(p);
    const a1 = v128.load(p, 16);
    const a2 = v128.load(p, 32);
    const a3 = v128.load(p, 48);
    s0 = v128.add<T>(s0, v128.mul<T>(a0, a0));
    s1 = v128.add<T>(s1, v128.mul<T>(a1, a1));
    s2 = v128.add<T>(s2, v128.mul<T>(a2, a2));
    s3 = v128.add<T>(s3, v128.mul<T>(a3, a3));
  }
  const tail = sumLanes<T>(v128.add<T>(v128.add<T>(s0, s1), v128.add<T>(s2, s3)));
  if (tail <= negligible) {
    memory.fill(at, 0, <usize>(length - pivot) * sizeof<T>());
    store<T>(at, <T>1);
    store<T>(beta, alpha);
    return <T>0;
  }
  const norm = sqrt<T>(alpha * alpha + tail);
  const b = alpha > <T>0 ? -norm : norm;
  const scale = v128.splat<T>(<T>1 / (alpha - b));
  for (let p = from; p < end; p += 16 * UNROLL) {
    v128.store(p, v128.mul<T>(v128.load(p), scale));
    v128.store(p, v128.mul<T>(v128.load(p, 16), scale), 16);
    v128.store(p, v128.mul<T>(v128.load(p, 32), scale), 32);
    v128.store(p, v128.mul<T>(v128.load(p, 48), scale), 48);
  }
  store<T>(at, <T>1);
  store<T>(beta, b);
  return (b - alpha) / b;
}

function reflectOne<T>(v: usize, a: usize, start: i32, length: i32, tau: T): void {
  const bytes = <usize>(length - start) * sizeof<T>();
  const first = <usize>start * sizeof<T>();
  v += first;
  a += first;
  let s0 = v128.splat<T>(<T>0);
  let s1 = s0;
  for (let o: usize = 0; o < bytes; o += 32) {
    s0 = v128.add<T>(s0, v128.mul<T>(v128.load(v + o), v128.load(a + o)));
    s1 = v128.add<T>(s1, v128.mul<T>(v128.load(v + o, 16), v128.load(a + o, 16)));
  }
  const w = v128.splat<T>(tau * sumLanes<T>(v128.add<T>(s0, s1)));
  for (let o: usize = 0; o < bytes; o += 32) {
    v128.store(a + o, v128.sub<T>(v128.load(a + o), v128.mul<T>(w, v128.load(v + o))));
    v128.store(a + o, v128.sub<T>(v128.load(a + o, 16), v128.mul<T>(w, v128.load(v + o, 16))), 16);
  }
}

/**
 * The reflectors of a whole block, at `v`, on the `count` vectors behind it: H₃H₂H₁H₀ a = a − Σ cₖvₖ, where
 * cₖ = τₖ(vₖ·a − Σ_{l<k} cₗ vₖ·vₗ). A vector is read twice for all four of them.
 */
function reflectByBlock<T>(v: usize, stride: usize, count: i32, start: i32, length: i32, taus: usize): void {
  const first = <usize>start * sizeof<T>();
  const v0 = v + first;
  const v1 = v0 + stride;
  const v2 = v1 + stride;
  const v3 = v2 + stride;
  const bytes = <usize>length * sizeof<T>() - first;
  const g10 = dot<T>(v1, v0, bytes);
  const g20 = dot<T>(v2, v0, bytes);
  const g21 = dot<T>(v2, v1, bytes);
  const g30 = dot<T>(v3, v0, bytes);
  const g31 = dot<T>(v3, v1, bytes);
  const g32 = dot<T>(v3, v2, bytes);
  const t0 = load<T>(taus);
  const t1 = load<T>(taus + sizeof<T>());
  const t2 = load<T>(taus + 2 * sizeof<T>());
  const t3 = load<T>(taus + 3 * sizeof<T>());
  let a = v3 + stride;
  for (let i = 0; i < count; i += 2, a += 2 * stride) {
    // An odd last vector is taken twice: both times the same is written.
    const b = i + 1 < count ? a + stride : a;
    let p0 = v128.splat<T>(<T>0);
    let p1 = p0;
    let p2 = p0;
    let p3 = p0;
    let q0 = p0;
    let q1 = p0;
    let q2 = p0;
    let q3 = p0;
    for (let o: usize = 0; o < bytes; o += 16) {
      const x = v128.load(a + o);
      const y = v128.load(b + o);
      const r0 = v128.load(v0 + o);
      const r1 = v128.load(v1 + o);
      p0 = v128.add<T>(p0, v128.mul<T>(r0, x));
      q0 = v128.add<T>(q0, v128.mul<T>(r0, y));
      p1 = v128.add<T>(p1, v128.mul<T>(r1, x));
      q1 = v128.add<T>(q1, v128.mul<T>(r1, y));
      const r2 = v128.load(v2 + o);
      const r3 = v128.load(v3 + o);
      p2 = v128.add<T>(p2, v128.mul<T>(r2, x));
      q2 = v128.add<T>(q2, v128.mul<T>(r2, y));
      p3 = v128.add<T>(p3, v128.mul<T>(r3, x));
      q3 = v128.add<T>(q3, v128.mul<T>(r3, y));
    }
    const c0 = t0 * sumLanes<T>(p0);
    const c1 = t1 * (sumLanes<T>(p1) - c0 * g10);
    const c2 = t2 * (sumLanes<T>(p2) - c0 * g20 - c1 * g21);
    const c3 = t3 * (sumLanes<T>(p3) - c0 * g30 - c1 * g31 - c2 * g32);
    const d0 = t0 * sumLanes<T>(q0);
    const d1 = t1 * (sumLanes<T>(q1) - d0 * g10);
    const d2 = t2 * (sumLanes<T>(q2) - d0 * g20 - d1 * g21);
    const d3 = t3 * (sumLanes<T>(q3) - d0 * g30 - d1 * g31 - d2 * g32);
    subtractFour<T>(a, v0, stride, bytes, c0, c1, c2, c3);
    if (b != a) subtractFour<T>(b, v0, stride, bytes, d0, d1, d2, d3);
  }
}

/** a ← a − Σ cₖvₖ for four vectors, `stride` apart. */
// @ts-ignore: decorator
@inline
function subtractFour<T>(a: usize, v: usize, stride: usize, bytes: usize, c0: T, c1: T, c2: T, c3: T): void {
  const w0 = v128.splat<T>(c0);
  const w1 = v128.splat<T>(c1);
  const w2 = v128.splat<T>(c2);
  const w3 = v128.splat<T>(c3);
  for (let o: usize = 0; o < bytes; o += 16) {
    const p = v + o;
    const near = v128.add<T>(v128.mul<T>(w0, v128.load(p)), v128.mul<T>(w1, v128.load(p + stride)));
    const far = v128.add<T>(v128.mul<T>(w2, v128.load(p + 2 * stride)), v128.mul<T>(w3, v128.load(p + 3 * stride)));
    v128.store(a + o, v128.sub<T>(v128.load(a + o), v128.add<T>(near, far)));
  }
}

function dot<T>(p: usize, q: usize, bytes: usize): T {
  let s = v128.splat<T>(<T>0);
  let t = s;
  for (let o: usize = 0; o < bytes; o += 32) {
    s = v128.add<T>(s, v128.mul<T>(v128.load(p + o), v128.load(q + o)));
    t = v128.add<T>(t, v128.mul<T>(v128.load(p + o, 16), v128.load(q + o, 16)));
  }
  return sumLanes<T>(v128.add<T>(s, t));
}
