/**
 * Eigenvectors of BᵀB for an upper bidiagonal B by twisted factorizations. Dhillon, A new O(n²) algorithm for the
 * symmetric tridiagonal eigenvalue/eigenvector problem (1997); Parlett & Dhillon 1997 (LAPACK's dlar1v).
 */

/** A quotient under this is rounding: the entries are of about one. */
const PIVOT: f64 = 1e-200;

/**
 * The eigenvectors of `count` eigenvalues (a multiple of 4), of unit length.
 * @param q squares of B's diagonal, about one at most; n of them
 * @param e squares of its superdiagonal; n, of which the last is zero
 * @param products of both: bᵢᵢ bᵢ,ᵢ₊₁
 * @param values eigenvalues to full accuracy
 * @param target n × stride of f32, a vector for each column
 * @param scratch 12 n of f64
 * @param residuals count of f64: ‖(BᵀB − λ)z‖
 */
export function twistedVectors(q: usize, e: usize, products: usize, n: i32, values: usize, count: i32, target: usize, stride: i32, scratch: usize, residuals: usize): void {
  const array = <usize>n << 4;
  for (let first = 0; first < count; first += 4) {
    for (let pair = 0; pair < 2; pair++) {
      const at = <usize>(first + 2 * pair) << 3;
      const s = scratch + <usize>(6 * pair) * (<usize>n << 3);
      factorPair(q, e, products, n, v128.load(values + at), s, s + array, s + 2 * array, residuals + at);
    }
    writeFour(n, scratch, target + (<usize>first << 2), <usize>stride << 2);
  }
}

/** abs(x) < PIVOT ? PIVOT : x */
// @ts-ignore: decorator
@inline
function guarded(x: v128): v128 {
  const tiny = f64x2.splat(PIVOT);
  return v128.bitselect(tiny, x, f64x2.lt(f64x2.abs(x), tiny));
}

/**
 * For two eigenvalues: LDLᵀ − λ = L₊D₊L₊ᵀ = U₋D₋U₋ᵀ, twisted where that leaves least; z by the multipliers from there
 * up and down. z goes where L₊ was, two lanes for each row.
 */
function factorPair(q: usize, e: usize, products: usize, n: i32, lambda: v128, s: usize, lower: usize, upper: usize, residuals: usize): void {
  // From the top: s[i] is what is left of row i without its q.
  const last = <usize>(n - 1) << 3;
  let x = f64x2.neg(lambda);
  v128.store(s, x);
  for (let o: usize = 0; o < last; o += 8) {
    const d = guarded(f64x2.add(x, v128.load64_splat(q + o)));
    v128.store(lower + 2 * o, f64x2.div(v128.load64_splat(products + o), d));
    x = f64x2.sub(f64x2.div(f64x2.mul(v128.load64_splat(e + o), x), d), lambda);
    v128.store(s + 2 * o, x, 16);
  }
  // From the bottom, with γ = s + p + λ on the way.
  let p = f64x2.sub(v128.load64_splat(q + last), lambda);
  let least = f64x2.abs(f64x2.add(x, v128.load64_splat(q + last)));
  let twist = f64x2.splat(<f64>(n - 1));
  for (let i = n - 2; i >= 0; i--) {
    const o = <usize>i << 3;
    const d = guarded(f64x2.add(v128.load64_splat(e + o), p));
    v128.store(upper + 2 * o, f64x2.div(v128.load64_splat(products + o), d));
    p = f64x2.sub(f64x2.div(f64x2.mul(v128.load64_splat(q + o), p), d), lambda);
    const gamma = f64x2.abs(f64x2.add(f64x2.add(v128.load(s + 2 * o), p), lambda));
    const smaller = f64x2.lt(gamma, least);
    least = v128.bitselect(gamma, least, smaller);
    twist = v128.bitselect(f64x2.splat(<f64>i), twist, smaller);
  }
  solveLane(n, <i32>f64x2.extract_lane(twist, 0), lower, upper, f64x2.extract_lane(least, 0), residuals);
  solveLane(n, <i32>f64x2.extract_lane(twist, 1), lower + 8, upper + 8, f64x2.extract_lane(least, 1), residuals + 8);
}

function solveLane(n: i32, twist: i32, lower: usize, upper: usize, gamma: f64, residual: usize): void {
  let norm: f64 = 1;
  let z: f64 = 1;
  // Downwards first: the place of z is that of the multipliers that are read next, upwards.
  for (let i = twist; i < n - 1; i++) {
    z = -load<f64>(upper + (<usize>i << 4)) * z;
    norm += z * z;
    store<f64>(upper + (<usize>i << 4), z);
  }
  z = 1;
  for (let i = twist - 1; i >= 0; i--) {
    const at = lower + (<usize>i << 4);
    z = -load<f64>(at) * z;
    norm += z * z;
    store<f64>(at, z);
  }
  store<f64>(lower + (<usize>twist << 4), 1);
  const scale = 1 / sqrt<f64>(norm);
  store<f64>(residual, gamma * scale);
  for (let i = 0; i <= twist; i++) {
    const at = lower + (<usize>i << 4);
    store<f64>(at, scale * load<f64>(at));
  }
  for (let i = twist; i < n - 1; i++) store<f64>(lower + (<usize>(i + 1) << 4), scale * load<f64>(upper + (<usize>i << 4)));
}

/** Two pairs' vectors, in the second of each pair's three arrays, to four columns. */
function writeFour(n: i32, scratch: usize, target: usize, row: usize): void {
  const array = <usize>n << 4;
  const left = scratch + array;
  const right = scratch + 4 * array;
  for (let i = 0; i < n; i++) {
    const o = <usize>i << 4;
    const x = f32x4.demote_f64x2_zero(v128.load(left + o));
    const y = f32x4.demote_f64x2_zero(v128.load(right + o));
    v128.store(target + <usize>i * row, v128.shuffle<i64>(x, y, 0, 2));
  }
}
