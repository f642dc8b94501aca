/** The matrix-vector products of the reduction of a symmetric matrix to tridiagonal form, in float64. */

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
