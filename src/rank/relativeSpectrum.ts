/**
 * σ/σ₁: all ranks are functions of it, so that none depends on the scale of the weights and none overflows.
 * @param singularValues largest first
 * @returns the same length, largest first; all zero for a zero matrix
 */
export function relativeSpectrum(singularValues: Float64Array): Float64Array {
  const first = singularValues[0] ?? 0;
  return first === 0 ? new Float64Array(singularValues.length) : singularValues.map((value) => value / first);
}
