/** Ranks that are real numbers between 1 and K, by how evenly the spectrum is spread; 0 for a zero matrix. */
export interface EntropyRanks {
  readonly stableRank: number;
  readonly effectiveRank: number;
  readonly participationRatio: number;
  readonly utilization: number;
}

/**
 * Stable rank Σσ²/σ₁² (Rudelson & Vershynin 2007), effective rank exp(−Σ p ln p) with p = σ/Σσ (Roy & Vetterli 2007),
 * participation ratio (Σσ²)²/Σσ⁴, utilization effective rank / K.
 * @param s σ/σ₁, largest first
 */
export function entropyRanks(s: Float64Array): EntropyRanks {
  let [sum, squares, fourths, logs] = [0, 0, 0, 0];
  for (const value of s) {
    const square = value * value;
    sum += value;
    squares += square;
    fourths += square * square;
    // 0 · ln 0 = 0
    if (value > 0) logs += value * Math.log(value);
  }
  if (sum === 0) return { stableRank: 0, effectiveRank: 0, participationRatio: 0, utilization: 0 };
  // −Σ p ln p = ln Σσ − (Σ σ ln σ)/Σσ
  const effectiveRank = sum * Math.exp(-logs / sum);
  return { stableRank: squares, effectiveRank, participationRatio: (squares * squares) / fourths, utilization: effectiveRank / s.length };
}
