/**
 * Band → bidiagonal by bulge chasing with short Householder reflectors (Großer & Lang 1999; Haidar, Kurzak,
 * Luszczek 2013). The band has B = 128 / sizeof<T>() superdiagonals, so that one reflector fills eight registers.
 *
 * Element (i, j) lies at index i · STRIDE + j + B. That is a dense matrix with row stride STRIDE wherever
 * −B ≤ j − i ≤ STRIDE − B, which the chase never leaves: it fills B − 1 diagonals below and 2B − 1 above.
 */
import { sumLanes } from "./lanes";

/** Bytes of one reflector: eight registers. */
const BYTES: usize = 128;
/** Row stride in bytes: 3B elements. */
const ROW: usize = 3 * BYTES;
/** Sweeps that travel down the band together, so that a stretch of it is taken through all of them while it is in cache. */
const GROUP = 8;
/** A sweep may do step t once the sweep before it has done step t + 2. */
const LAG = 2;

// @ts-ignore: decorator
@inline
function address<T>(band: usize, i: i32, j: i32): usize {
  return band + <usize>i * ROW + <usize>j * sizeof<T>() + BYTES;
}

/**
 * Reduces the upper band matrix of order n at `band` (n + 3B rows of storage, zero outside the band) to
 * bidiagonal form in place. `v` is scratch of one reflector.
 * @param kept where the reflectors of the right side go, in the order of `keptReflector`; 0: nowhere
 */
export function chaseBand<T>(band: usize, n: i32, v: usize, negligible: T, kept: usize): void {
  const width = <i32>(BYTES / sizeof<T>());
  for (let first = 0; first < n - 1; first += GROUP) {
    const steps = (n - first + width - 2) / width;
    const sweeps = min(GROUP, n - 1 - first);
    for (let time = 0; time < steps + LAG * (sweeps - 1); time++) {
      for (let g = 0; g < sweeps; g++) {
        const step = time - LAG * g;
        if (step < 0) break;
        const sweep = first + g;
        const c = sweep + 1 + step * width;
        if (c >= n) continue;
        chaseStep<T>(band, step == 0 ? sweep : c - width, c, width, v, negligible, kept == 0 ? 0 : keptReflector(kept, n / width, width, sweep, step));
      }
    }
  }
}

/**
 * Reflectors lie by blocks: those of B neighbouring sweeps at one step, which act on 2B − 1 neighbouring columns. A block of
 * sweeps takes one step fewer than the one before. The unit first entry is replaced by τ.
 */
// @ts-ignore: decorator
@inline
function keptReflector(kept: usize, blocks: i32, width: i32, sweep: i32, step: i32): usize {
  const block = sweep / width;
  return kept + <usize>((block * blocks - (block * (block - 1)) / 2 + step) * width + (sweep - block * width)) * BYTES;
}

/** Clears row r right of column c, then the bulge under (c, c). */
function chaseStep<T>(band: usize, r: i32, c: i32, width: i32, v: usize, negligible: T, kept: usize): void {
  const row = address<T>(band, r, c);
  memory.copy(v, row, BYTES);
  let tau = reflector<T>(v, negligible);
  if (kept != 0) {
    memory.copy(kept, v, BYTES);
    store<T>(kept, tau);
  }
  if (tau != <T>0) {
    const from = r == c - 1 ? c : r;
    reflectRows<T>(address<T>(band, from, c), c + width - from, v, tau);
    if (from != r) reflectedRow<T>(row, v, tau);
    clearTail<T>(row);
  }
  const corner = address<T>(band, c, c);
  for (let i = 0; i < width; i++) store<T>(v + <usize>i * sizeof<T>(), load<T>(corner + <usize>i * ROW));
  tau = reflector<T>(v, negligible);
  if (tau == <T>0) return;
  reflectColumns<T>(corner, width, v, tau);
  reflectColumns<T>(corner + BYTES, width, v, tau);
  for (let i = 1; i < width; i++) store<T>(corner + <usize>i * ROW, <T>0);
}

/** The first entry of the driving row alone (the rest becomes zero). */
// @ts-ignore: decorator
@inline
function reflectedRow<T>(row: usize, v: usize, tau: T): void {
  let s = v128.splat<T>(<T>0);
  for (let o: usize = 0; o < BYTES; o += 16) s = v128.add<T>(s, v128.mul<T>(v128.load(row + o), v128.load(v + o)));
  store<T>(row, load<T>(row) - tau * sumLanes<T>(s));
}

// @ts-ignore: decorator
@inline
function clearTail<T>(row: usize): void {
  const first = load<T>(row);
  memory.fill(row, 0, BYTES);
  store<T>(row, first);
}

/** Makes v its own reflector with unit first entry; returns τ. */
function reflector<T>(v: usize, negligible: T): T {
  const alpha = load<T>(v);
  store<T>(v, <T>0);
  let s = v128.splat<T>(<T>0);
  for (let o: usize = 0; o < BYTES; o += 16) {
    const x = v128.load(v + o);
    s = v128.add<T>(s, v128.mul<T>(x, x));
  }
  const tail = sumLanes<T>(s);
  if (tail <= negligible) {
    // Below the rounding of the norm: exact zeros instead of denormals.
    memory.fill(v, 0, BYTES);
    store<T>(v, <T>1);
    return <T>0;
  }
  const norm = sqrt<T>(alpha * alpha + tail);
  const beta = alpha > <T>0 ? -norm : norm;
  const scale = v128.splat<T>(<T>1 / (alpha - beta));
  for (let o: usize = 0; o < BYTES; o += 16) v128.store(v + o, v128.mul<T>(v128.load(v + o), scale));
  store<T>(v, <T>1);
  return (beta - alpha) / beta;
}

/** row ← row (I − τ v vᵀ) for `rows` rows (a multiple of 4) of one reflector's width. */
function reflectRows<T>(block: usize, rows: i32, v: usize, tau: T): void {
  const v0 = v128.load(v);
  const v1 = v128.load(v, 16);
  const v2 = v128.load(v, 32);
  const v3 = v128.load(v, 48);
  const v4 = v128.load(v, 64);
  const v5 = v128.load(v, 80);
  const v6 = v128.load(v, 96);
  const v7 = v128.load(v, 112);
  const end = block + <usize>rows * ROW;
  for (let p = block; p < end; p += 2 * ROW) {
    let s = v128.mul<T>(v0, v128.load(p));
    let t = v128.mul<T>(v0, v128.load(p, ROW));
    s = v128.add<T>(s, v128.mul<T>(v1, v128.load(p, 16)));
    t = v128.add<T>(t, v128.mul<T>(v1, v128.load(p, ROW + 16)));
    s = v128.add<T>(s, v128.mul<T>(v2, v128.load(p, 32)));
    t = v128.add<T>(t, v128.mul<T>(v2, v128.load(p, ROW + 32)));
    s = v128.add<T>(s, v128.mul<T>(v3, v128.load(p, 48)));
    t = v128.add<T>(t, v128.mul<T>(v3, v128.load(p, ROW + 48)));
    s = v128.add<T>(s, v128.mul<T>(v4, v128.load(p, 64)));
    t = v128.add<T>(t, v128.mul<T>(v4, v128.load(p, ROW + 64)));
    s = v128.add<T>(s, v128.mul<T>(v5, v128.load(p, 80)));
    t = v128.add<T>(t, v128.mul<T>(v5, v128.load(p, ROW + 80)));
    s = v128.add<T>(s, v128.mul<T>(v6, v128.load(p, 96)));
    t = v128.add<T>(t, v128.mul<T>(v6, v128.load(p, ROW + 96)));
    s = v128.add<T>(s, v128.mul<T>(v7, v128.load(p, 112)));
    t = v128.add<T>(t, v128.mul<T>(v7, v128.load(p, ROW + 112)));
    const a = v128.splat<T>(tau * sumLanes<T>(s));
    const b = v128.splat<T>(tau * sumLanes<T>(t));
    v128.store(p, v128.sub<T>(v128.load(p), v128.mul<T>(a, v0)));
    v128.store(p, v128.sub<T>(v128.load(p, 16), v128.mul<T>(a, v1)), 16);
    v128.store(p, v128.sub<T>(v128.load(p, 32), v128.mul<T>(a, v2)), 32);
    v128.store(p, v128.sub<T>(v128.load(p, 48), v128.mul<T>(a, v3)), 48);
    v128.store(p, v128.sub<T>(v128.load(p, 64), v128.mul<T>(a, v4)), 64);
    v128.store(p, v128.sub<T>(v128.load(p, 80), v128.mul<T>(a, v5)), 80);
    v128.store(p, v128.sub<T>(v128.load(p, 96), v128.mul<T>(a, v6)), 96);
    v128.store(p, v128.sub<T>(v128.load(p, 112), v128.mul<T>(a, v7)), 112);
    v128.store(p, v128.sub<T>(v128.load(p, ROW), v128.mul<T>(b, v0)), ROW);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 16), v128.mul<T>(b, v1)), ROW + 16);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 32), v128.mul<T>(b, v2)), ROW + 32);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 48), v128.mul<T>(b, v3)), ROW + 48);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 64), v128.mul<T>(b, v4)), ROW + 64);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 80), v128.mul<T>(b, v5)), ROW + 80);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 96), v128.mul<T>(b, v6)), ROW + 96);
    v128.store(p, v128.sub<T>(v128.load(p, ROW + 112), v128.mul<T>(b, v7)), ROW + 112);
  }
}

/** block ← (I − τ v vᵀ) block, for B columns: the sums of the columns stay in eight registers. */
function reflectColumns<T>(block: usize, rows: i32, v: usize, tau: T): void {
  const zero = v128.splat<T>(<T>0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let s4 = zero;
  let s5 = zero;
  let s6 = zero;
  let s7 = zero;
  const end = block + <usize>rows * ROW;
  let q = v;
  for (let p = block; p < end; p += ROW) {
    const x = v128.splat<T>(load<T>(q));
    q += sizeof<T>();
    s0 = v128.add<T>(s0, v128.mul<T>(x, v128.load(p)));
    s1 = v128.add<T>(s1, v128.mul<T>(x, v128.load(p, 16)));
    s2 = v128.add<T>(s2, v128.mul<T>(x, v128.load(p, 32)));
    s3 = v128.add<T>(s3, v128.mul<T>(x, v128.load(p, 48)));
    s4 = v128.add<T>(s4, v128.mul<T>(x, v128.load(p, 64)));
    s5 = v128.add<T>(s5, v128.mul<T>(x, v128.load(p, 80)));
    s6 = v128.add<T>(s6, v128.mul<T>(x, v128.load(p, 96)));
    s7 = v128.add<T>(s7, v128.mul<T>(x, v128.load(p, 112)));
  }
  q = v;
  for (let p = block; p < end; p += ROW) {
    const x = v128.splat<T>(tau * load<T>(q));
    q += sizeof<T>();
    v128.store(p, v128.sub<T>(v128.load(p), v128.mul<T>(x, s0)));
    v128.store(p, v128.sub<T>(v128.load(p, 16), v128.mul<T>(x, s1)), 16);
    v128.store(p, v128.sub<T>(v128.load(p, 32), v128.mul<T>(x, s2)), 32);
    v128.store(p, v128.sub<T>(v128.load(p, 48), v128.mul<T>(x, s3)), 48);
    v128.store(p, v128.sub<T>(v128.load(p, 64), v128.mul<T>(x, s4)), 64);
    v128.store(p, v128.sub<T>(v128.load(p, 80), v128.mul<T>(x, s5)), 80);
    v128.store(p, v128.sub<T>(v128.load(p, 96), v128.mul<T>(x, s6)), 96);
    v128.store(p, v128.sub<T>(v128.load(p, 112), v128.mul<T>(x, s7)), 112);
  }
}
