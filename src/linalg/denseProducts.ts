/**
 * Products of row-major float64 arrays in plain TypeScript, for iterations that must give the same digits in every process.
 * Several terms are taken at once: what costs is reaching into arrays, not multiplying.
 */

/** Y ← X·B for X (m × n) and B (n × rank): m × rank. */
export function times(x: Float64Array, m: number, n: number, b: Float64Array, rank: number): Float64Array {
  const out = new Float64Array(m * rank);
  for (let i = 0; i < m; i++) {
    const row = out.subarray(i * rank, (i + 1) * rank);
    let j = 0;
    for (; j + 3 < n; j += 4) addFour(row, x[i * n + j]!, x[i * n + j + 1]!, x[i * n + j + 2]!, x[i * n + j + 3]!, b, j * rank, rank);
    for (; j < n; j++) addOne(row, x[i * n + j]!, b, j * rank);
  }
  return out;
}

/** Y ← Xᵀ·B for X (m × n) and B (m × rank): n × rank. */
export function transposedTimes(x: Float64Array, m: number, n: number, b: Float64Array, rank: number): Float64Array {
  const out = new Float64Array(n * rank);
  for (let j = 0; j < n; j++) {
    const row = out.subarray(j * rank, (j + 1) * rank);
    let i = 0;
    for (; i + 3 < m; i += 4) addFour(row, x[i * n + j]!, x[(i + 1) * n + j]!, x[(i + 2) * n + j]!, x[(i + 3) * n + j]!, b, i * rank, rank);
    for (; i < m; i++) addOne(row, x[i * n + j]!, b, i * rank);
  }
  return out;
}

/** FᵀF for F (m × rank): rank × rank. */
export function gramOf(factor: Float64Array, rank: number): Float64Array {
  return transposedTimes(factor, factor.length / rank, rank, factor, rank);
}

/** y += Σ c·b over four rows of b that follow each other. */
function addFour(y: Float64Array, c0: number, c1: number, c2: number, c3: number, b: Float64Array, from: number, rank: number): void {
  const p = from + rank, q = p + rank, s = q + rank;
  for (let r = 0; r < rank; r++) y[r]! += c0 * b[from + r]! + c1 * b[p + r]! + c2 * b[q + r]! + c3 * b[s + r]!;
}

function addOne(y: Float64Array, c: number, b: Float64Array, from: number): void {
  for (let r = 0; r < y.length; r++) y[r]! += c * b[from + r]!;
}
