/**
 * Householder factorization of a panel whose vectors lie contiguous in memory: the columns of a column panel
 * stored transposed (QR), or the rows of a row panel (LQ). Golub & Van Loan, Matrix Computations, 5.2.
 */
import { sumLanes } from "./lanes";

/** v128 registers that one turn of the loops takes. */
const UNROLL: usize = 4;

/**
 * Factorizes `count` vectors of `length` elements at `vectors` in place. Reflector j has its unit entry at
 * position offset + j, explicit zeros before it, and is I − τ v vᵀ. `length` is a multiple of 16 (f32) or 8 (f64).
 * @param factor count × count, row j holds what reflector 0 … j made of vector j (R transposed, or L)
 * @param taus count of them
 * @param negligible squared norm under which a tail counts as zero (denormals slow the machine)
 */
export function factorPanel<T>(vectors: usize, count: i32, length: i32, offset: i32, factor: usize, taus: usize, negligible: T): void {
  const stride = <usize>length * sizeof<T>();
  for (let j = 0; j < count; j++) {
    const v = vectors + <usize>j * stride;
    const pivot = offset + j;
    const start = alignDown<T>(pivot);
    const row = factor + <usize>(j * count) * sizeof<T>();
    for (let i = 0; i < j; i++) {
      const entry = v + <usize>(offset + i) * sizeof<T>();
      store<T>(row + <usize>i * sizeof<T>(), load<T>(entry));
      store<T>(entry, <T>0);
    }
    const tau = makeReflector<T>(v, pivot, start, length, row + <usize>j * sizeof<T>(), negligible);
    store<T>(taus + <usize>j * sizeof<T>(), tau);
    if (tau == <T>0) continue;
    let i = j + 1;
    for (; i + 3 < count; i += 4) reflectFour<T>(v, vectors + <usize>i * stride, stride, start, length, tau);
    for (; i < count; i++) reflectOne<T>(v, vectors + <usize>i * stride, start, length, tau);
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

/** Four vectors at once: v is read from cache once for all of them. */
function reflectFour<T>(v: usize, a: usize, stride: usize, start: i32, length: i32, tau: T): void {
  const bytes = <usize>(length - start) * sizeof<T>();
  const first = <usize>start * sizeof<T>();
  v += first;
  const a0 = a + first;
  const a1 = a0 + stride;
  const a2 = a1 + stride;
  const a3 = a2 + stride;
  let s0 = v128.splat<T>(<T>0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  for (let o: usize = 0; o < bytes; o += 32) {
    const x = v128.load(v + o);
    const y = v128.load(v + o, 16);
    s0 = v128.add<T>(s0, v128.mul<T>(x, v128.load(a0 + o)));
    s1 = v128.add<T>(s1, v128.mul<T>(x, v128.load(a1 + o)));
    s2 = v128.add<T>(s2, v128.mul<T>(x, v128.load(a2 + o)));
    s3 = v128.add<T>(s3, v128.mul<T>(x, v128.load(a3 + o)));
    t0 = v128.add<T>(t0, v128.mul<T>(y, v128.load(a0 + o, 16)));
    t1 = v128.add<T>(t1, v128.mul<T>(y, v128.load(a1 + o, 16)));
    t2 = v128.add<T>(t2, v128.mul<T>(y, v128.load(a2 + o, 16)));
    t3 = v128.add<T>(t3, v128.mul<T>(y, v128.load(a3 + o, 16)));
  }
  const w0 = v128.splat<T>(tau * sumLanes<T>(v128.add<T>(s0, t0)));
  const w1 = v128.splat<T>(tau * sumLanes<T>(v128.add<T>(s1, t1)));
  const w2 = v128.splat<T>(tau * sumLanes<T>(v128.add<T>(s2, t2)));
  const w3 = v128.splat<T>(tau * sumLanes<T>(v128.add<T>(s3, t3)));
  for (let o: usize = 0; o < bytes; o += 16) {
    const x = v128.load(v + o);
    v128.store(a0 + o, v128.sub<T>(v128.load(a0 + o), v128.mul<T>(w0, x)));
    v128.store(a1 + o, v128.sub<T>(v128.load(a1 + o), v128.mul<T>(w1, x)));
    v128.store(a2 + o, v128.sub<T>(v128.load(a2 + o), v128.mul<T>(w2, x)));
    v128.store(a3 + o, v128.sub<T>(v128.load(a3 + o), v128.mul<T>(w3, x)));
  }
}
