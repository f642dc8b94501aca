/** Σx² in float64, in four sums at once, as one would wait for each addition. Squares may overflow or vanish. */
export function sumOfSquares(data: Float32Array | Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += data[i]! * data[i]!;
    s1 += data[i + 1]! * data[i + 1]!;
    s2 += data[i + 2]! * data[i + 2]!;
    s3 += data[i + 3]! * data[i + 3]!;
  }
  for (let i = whole; i < data.length; i++) s0 += data[i]! * data[i]!;
  return s0 + s1 + (s2 + s3);
}
