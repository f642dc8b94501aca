/**
 * The Marchenko–Pastur law (Marchenko & Pastur 1967): the limit of the eigenvalues of XXᵀ/N for a p × N matrix X of
 * independent entries with variance 1, p/N = β ≤ 1.
 */

/** (1 + √β)². */
export function upperEdge(beta: number): number {
  return (1 + Math.sqrt(beta)) ** 2;
}

/** (1 − √β)². */
export function lowerEdge(beta: number): number {
  return (1 - Math.sqrt(beta)) ** 2;
}

/**
 * Share of eigenvalues at or below x: the integral of √((b − t)(t − a)) / (2πβt) from the lower edge a to x, in closed
 * form. The angles run from 0 at a to π/2 at the upper edge b and are exact near both.
 */
export function marchenkoPasturShare(x: number, beta: number): number {
  const [a, b] = [lowerEdge(beta), upperEdge(beta)];
  if (x <= a) return 0;
  if (x >= b) return 1;
  const [above, below] = [x - a, b - x];
  const first = Math.atan2(Math.sqrt(above), Math.sqrt(below));
  const second = Math.atan2(Math.sqrt(b * above), Math.sqrt(a * below));
  // (a + b)/2 = 1 + β, √(ab) = 1 − β
  return (Math.sqrt(above * below) + 2 * ((1 + beta) * first - (1 - beta) * second)) / (2 * Math.PI * beta);
}
