import type { LeadingSolver } from "../linalg/leadingSingularValue";
import type { Matrix } from "../linalg/matrix";
import type { FirstFigures } from "../shared/report";
import { frobeniusNorm } from "./norms";

/**
 * What can be said of an m × n matrix before its full spectrum: the Frobenius norm in one pass, and σ₁ by an
 * iteration, hence the stable rank with its error.
 */
export async function firstFigures(matrix: Matrix, solver: LeadingSolver): Promise<FirstFigures> {
  const frobenius = frobeniusNorm(matrix);
  if (frobenius === 0) return { frobeniusNorm: 0, spectralNorm: 0, stableRank: 0, relativeError: 0 };
  const { value, error } = await solver.leadingSingularValue(matrix);
  return { frobeniusNorm: frobenius, spectralNorm: value, stableRank: (frobenius / value) ** 2, relativeError: error / value };
}
