/**
 * Householder reflectors H = I − τ u uᵀ with u₁ = 1 (Golub & Van Loan, Matrix Computations, 4th ed., §5.1;
 * sign and scaling as LAPACK's dlarfg).
 */
export interface Reflector {
  /** 0: H is the identity. */
  readonly tau: number;
  /** What the vector becomes: H x = beta · e₁. */
  readonly beta: number;
}

/**
 * Tails below 1e-145 of a matrix of size about 1 are taken as zero: far below rounding, and their squares would be
 * denormal numbers, whose few digits make u so wrong that H is no longer orthogonal.
 */
const NEGLIGIBLE_SQUARE = 1e-290;

/**
 * Overwrites x[first..end) by the u of the reflector that maps it to a multiple of e₁.
 * Entries must be of a size whose squares neither overflow nor matter when they underflow.
 */
export function reflect(x: Float64Array, first: number, end: number): Reflector {
  const alpha = x[first]!;
  let square = 0;
  for (let i = first + 1; i < end; i++) square += x[i]! * x[i]!;
  x[first] = 1;
  if (square < NEGLIGIBLE_SQUARE) {
    x.fill(0, first + 1, end);
    return { tau: 0, beta: alpha };
  }
  const norm = Math.sqrt(alpha * alpha + square);
  const beta = alpha >= 0 ? -norm : norm;
  const inverse = 1 / (alpha - beta);
  for (let i = first + 1; i < end; i++) x[i]! *= inverse;
  return { tau: (beta - alpha) / beta, beta };
}
