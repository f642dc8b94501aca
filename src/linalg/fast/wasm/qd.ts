/** The inner loop of the dqds algorithm (../dqds.ts). Its time is the latency of one division for each element. */

/**
 * dqds on q[0 … last], e[0 … last − 1] → nextQ, nextE. Writes six numbers to `trail`: the minimum of all d's, of all but the
 * last, of all but the last two, the last three d's, and the least new e. A NaN among the d's makes the first one NaN.
 */
export function transformQd(q: usize, e: usize, nextQ: usize, nextE: usize, last: i32, shift: f64, trail: usize): void {
  let d = load<f64>(q) - shift;
  // In vector registers, because their minimum is one instruction without a branch.
  let least = f64x2.splat(d);
  let least1 = least;
  let least2 = least;
  let leastE = f64x2.splat(Infinity);
  let d1 = d;
  let d2 = d;
  const bytes = <usize>last << 3;
  for (let o: usize = 0; o < bytes; o += 8) {
    const off = load<f64>(e + o);
    const sum = d + off;
    const ratio = load<f64>(q + o, 8) / sum;
    const next = off * ratio;
    store<f64>(nextQ + o, sum);
    store<f64>(nextE + o, next);
    d2 = d1;
    d1 = d;
    least2 = least1;
    least1 = least;
    d = d * ratio - shift;
    leastE = f64x2.pmin(leastE, f64x2.splat(next));
    least = f64x2.pmin(least, f64x2.splat(d));
  }
  store<f64>(nextQ + bytes, d);
  // Once a NaN, always a NaN.
  store<f64>(trail, d == d ? f64x2.extract_lane(least, 0) : NaN);
  store<f64>(trail, f64x2.extract_lane(least1, 0), 8);
  store<f64>(trail, f64x2.extract_lane(least2, 0), 16);
  store<f64>(trail, d, 24);
  store<f64>(trail, d1, 32);
  store<f64>(trail, d2, 40);
  store<f64>(trail, f64x2.extract_lane(leastE, 0), 48);
}

/**
 * Two transformations in one pass, the first with the shift, the second without: the second runs one element behind the
 * first, so that their divisions overlap. Writes the second's numbers to `trail` as above, and after them the first's least d.
 * `last` is at least 1.
 */
export function transformQdTwice(q: usize, e: usize, nextQ: usize, nextE: usize, last: i32, shift: f64, trail: usize): void {
  let c = load<f64>(q) - shift;
  let leastC = f64x2.splat(c);
  // The first transformation's element 0.
  let off = load<f64>(e);
  let q1 = c + off;
  let ratio = load<f64>(q, 8) / q1;
  let e1 = off * ratio;
  c = c * ratio - shift;
  leastC = f64x2.pmin(leastC, f64x2.splat(c));
  let d = q1;
  let least = f64x2.splat(d);
  let least1 = least;
  let least2 = least;
  let leastE = f64x2.splat(Infinity);
  let d1 = d;
  let d2 = d;
  const bytes = <usize>last << 3;
  for (let o: usize = 8; o < bytes; o += 8) {
    off = load<f64>(e + o);
    const sum1 = c + off;
    ratio = load<f64>(q + o, 8) / sum1;
    const sum = d + e1;
    const ratio2 = sum1 / sum;
    const next = e1 * ratio2;
    e1 = off * ratio;
    c = c * ratio - shift;
    leastC = f64x2.pmin(leastC, f64x2.splat(c));
    store<f64>(nextQ + o - 8, sum);
    store<f64>(nextE + o - 8, next);
    d2 = d1;
    d1 = d;
    least2 = least1;
    least1 = least;
    d = d * ratio2;
    leastE = f64x2.pmin(leastE, f64x2.splat(next));
    least = f64x2.pmin(least, f64x2.splat(d));
  }
  // The second's last element: the first ends in q = c.
  const sum = d + e1;
  const ratio2 = c / sum;
  const next = e1 * ratio2;
  store<f64>(nextQ + bytes - 8, sum);
  store<f64>(nextE + bytes - 8, next);
  d2 = d1;
  d1 = d;
  least2 = least1;
  least1 = least;
  d = d * ratio2;
  leastE = f64x2.pmin(leastE, f64x2.splat(next));
  least = f64x2.pmin(least, f64x2.splat(d));
  store<f64>(nextQ + bytes, d);
  store<f64>(trail, d == d ? f64x2.extract_lane(least, 0) : NaN);
  store<f64>(trail, f64x2.extract_lane(least1, 0), 8);
  store<f64>(trail, f64x2.extract_lane(least2, 0), 16);
  store<f64>(trail, d, 24);
  store<f64>(trail, d1, 32);
  store<f64>(trail, d2, 40);
  store<f64>(trail, f64x2.extract_lane(leastE, 0), 48);
  store<f64>(trail, c == c ? f64x2.extract_lane(leastC, 0) : NaN, 56);
}
