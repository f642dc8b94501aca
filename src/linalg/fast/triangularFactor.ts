import type { Floats } from "./gemm";

/**
 * Tᵀ (b × b, row-major, lower triangular) of the compact WY form H₁ H₂ … = I − V T Vᵀ, from the reflectors' inner
 * products VᵀV and their τ. Schreiber & Van Loan 1989; LAPACK's xLARFT with the products given.
 */
export function triangularFactor(gram: Floats, taus: Floats, b: number, target: Floats): void {
  target.fill(0, 0, b * b);
  for (let j = 0; j < b; j++) {
    const tau = taus[j]!;
    // T[0…j, j] = −τ T[0…j, 0…j] (VᵀV)[0…j, j]; T[i, k] is target[k, i].
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += target[k * b + i]! * gram[k * b + j]!;
      target[j * b + i] = -tau * sum;
    }
    target[j * b + j] = tau;
  }
}
