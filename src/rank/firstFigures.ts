import type { LeadingSolver, RowLeadingSolver } from "../linalg/leadingSingularValue";
import type { Matrix } from "../linalg/matrix";
import type { RowSource } from "../linalg/rowSource";
import type { FirstFigures } from "../shared/report";
import { frobeniusNorm } from "./norms";
import { withNorm } from "./rowNorm";

/**
 * What can be said of an m × n matrix before its full spectrum: the Frobenius norm in one pass, and σ₁ by an
 * iteration, hence the stable rank with its error.
 */
export async function firstFigures(matrix: Matrix, solver: LeadingSolver): Promise<FirstFigures> {
  const frobenius = frobeniusNorm(matrix);
  return figuresOf(frobenius, frobenius === 0 ? ZERO : await solver.leadingSingularValue(matrix));
}

/** The same for a matrix that is read by its rows. */
export async function firstFiguresOfRows(source: RowSource, solver: RowLeadingSolver): Promise<FirstFigures> {
  const { rows, norm } = withNorm(source);
  const leading = await solver.leadingSingularValueOf(rows);
  return figuresOf(norm(), leading);
}

const ZERO = { value: 0, error: 0 };

function figuresOf(frobenius: number, { value, error }: { readonly value: number; readonly error: number }): FirstFigures {
  if (frobenius === 0) return { frobeniusNorm: 0, spectralNorm: 0, stableRank: 0, relativeError: 0 };
  return { frobeniusNorm: frobenius, spectralNorm: value, stableRank: (frobenius / value) ** 2, relativeError: error / value };
}
