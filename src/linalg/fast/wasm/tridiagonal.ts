/** What the reduction of a symmetric matrix to tridiagonal form does one column at a time, in float64. */

/**
 * w ← A x for the symmetric matrix whose lower triangle is given (row stride in elements), over rows and columns
 * first … n − 1. Each entry is read once and serves both its places; memory is what this waits for.
 */
export function symmetricTimes(a: usize, stride: i32, first: i32, n: i32, x: usize, w: usize): void {
  const row = <usize>stride << 3;
  memory.fill(w + (<usize>first << 3), 0, <usize>(n - first) << 3);
  let i = first;
  // Two rows at a time halve the traffic of x and w.
  for (; i + 1 < n; i += 2) {
    const p = a + <usize>i * row;
    const q = p + row;
    const xi = load<f64>(x + (<usize>i << 3));
    const xk = load<f64>(x + (<usize>i << 3), 8);
    const vi = f64x2.splat(xi);
    const vk = f64x2.splat(xk);
    let si = f64x2.splat(0);
    let sk = si;
    let o = <usize>first << 3;
    const end = <usize>i << 3;
    const whole = o + ((end - o) & ~15);
    for (; o < whole; o += 16) {
      const u = v128.load(p + o);
      const v = v128.load(q + o);
      const xo = v128.load(x + o);
      si = f64x2.add(si, f64x2.mul(u, xo));
      sk = f64x2.add(sk, f64x2.mul(v, xo));
      v128.store(w + o, f64x2.add(v128.load(w + o), f64x2.add(f64x2.mul(vi, u), f64x2.mul(vk, v))));
    }
    let ti = f64x2.extract_lane(si, 0) + f64x2.extract_lane(si, 1);
    let tk = f64x2.extract_lane(sk, 0) + f64x2.extract_lane(sk, 1);
    for (; o < end; o += 8) {
      const u = load<f64>(p + o);
      const v = load<f64>(q + o);
      const xo = load<f64>(x + o);
      ti += u * xo;
      tk += v * xo;
      store<f64>(w + o, load<f64>(w + o) + xi * u + xk * v);
    }
    const corner = load<f64>(q + end);
    ti += load<f64>(p + end) * xi + corner * xk;
    tk += corner * xi + load<f64>(q + end, 8) * xk;
    store<f64>(w + end, ti);
    store<f64>(w + end, tk, 8);
  }
  for (; i < n; i++) {
    const p = a + <usize>i * row;
    const xi = load<f64>(x + (<usize>i << 3));
    let s: f64 = load<f64>(p + (<usize>i << 3)) * xi;
    for (let o = <usize>first << 3; o < <usize>i << 3; o += 8) {
      const u = load<f64>(p + o);
      s += u * load<f64>(x + o);
      store<f64>(w + o, load<f64>(w + o) + xi * u);
    }
    store<f64>(w + (<usize>i << 3), s);
  }
}

/**
 * The pending updates of a panel, V Wᵀ + W Vᵀ, as two arrays of n rows: `left` holds (V, W) and `right` (W, V), each of `half`
 * numbers of which the first `count`, an even number, may differ from zero.
 */

/** Sum of the products of two rows of pending updates. */
// @ts-ignore: decorator
@inline
function pendingDot(p: usize, q: usize, half: usize, bytes: usize): f64 {
  let s = f64x2.splat(0);
  let t = s;
  for (let o: usize = 0; o < bytes; o += 16) {
    s = f64x2.add(s, f64x2.mul(v128.load(p + o), v128.load(q + o)));
    t = f64x2.add(t, f64x2.mul(v128.load(p + half + o), v128.load(q + half + o)));
  }
  s = f64x2.add(s, t);
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

/** target ← column j of A − V Wᵀ − W Vᵀ, rows j … n − 1. */
export function pendingColumn(a: usize, stride: i32, j: i32, n: i32, left: usize, right: usize, half: i32, count: i32, target: usize): void {
  const halfBytes = <usize>half << 3;
  const bytes = <usize>count << 3;
  const own = right + <usize>j * (halfBytes << 1);
  for (let i = j; i < n; i++) {
    const value = load<f64>(a + ((<usize>i * <usize>stride + <usize>j) << 3));
    store<f64>(target + (<usize>i << 3), value - pendingDot(left + <usize>i * (halfBytes << 1), own, halfBytes, bytes));
  }
}

/** w ← w − (V Wᵀ + W Vᵀ) v, rows first … n − 1; `sums` is room for 2 · half numbers. */
export function subtractPending(w: usize, v: usize, first: i32, n: i32, left: usize, right: usize, half: i32, count: i32, sums: usize): void {
  const halfBytes = <usize>half << 3;
  const bytes = <usize>count << 3;
  memory.fill(sums, 0, halfBytes << 1);
  for (let i = first; i < n; i++) {
    const x = f64x2.splat(load<f64>(v + (<usize>i << 3)));
    const row = right + <usize>i * (halfBytes << 1);
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(sums + o, f64x2.add(v128.load(sums + o), f64x2.mul(v128.load(row + o), x)));
      v128.store(sums + halfBytes + o, f64x2.add(v128.load(sums + halfBytes + o), f64x2.mul(v128.load(row + halfBytes + o), x)));
    }
  }
  for (let i = first; i < n; i++) {
    const at = w + (<usize>i << 3);
    store<f64>(at, load<f64>(at) - pendingDot(left + <usize>i * (halfBytes << 1), sums, halfBytes, bytes));
  }
}
