import { TIE, type Count } from "./thresholdCount";

/**
 * The smallest k with Σ_{i≤k} σ² ≥ share · Σσ² (TRP: Xu et al. 2020).
 * @param s σ/σ₁, largest first
 * @param share in (0, 1)
 */
export function energyRank(s: Float64Array, share: number): Count {
  const wanted = share * s.reduce((sum, value) => sum + value * value, 0);
  if (wanted === 0) return { count: 0, tie: false };
  let energy = 0;
  let tie = false;
  for (const [i, value] of s.entries()) {
    energy += value * value;
    if (Math.abs(energy - wanted) <= TIE * wanted) tie = true;
    if (energy >= wanted) return { count: i + 1, tie };
  }
  throw new Error(`the energy of ${s.length} values does not reach its own share ${share}`);
}
