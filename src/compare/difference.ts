import type { Matrix } from "../linalg/matrix";
import type { RowSource } from "../linalg/rowSource";
import type { RowSolver } from "../linalg/singularValues";
import { measureMatrix, measureRows } from "../rank/measure";
import { frobeniusNorm } from "../rank/norms";
import { withNorm } from "../rank/rowNorm";
import type { MatrixFacts } from "../rank/spectrum";
import type { Measures } from "../shared/report";

/** What a difference's matrices are measured by, and the norm of what they are told relative to. */
export interface MeasuredDifference {
  readonly measures: Measures;
  /** ‖A‖_F */
  readonly baseNorm: number;
}

/**
 * All measures of Δ = B − A, m × n. The storage of b may be overwritten.
 * @param facts ε is that of the coarser of the two stored types
 */
export async function measureDifference(solver: RowSolver, a: Matrix, b: Matrix, facts: MatrixFacts): Promise<MeasuredDifference> {
  const baseNorm = frobeniusNorm(a);
  const { measures } = await measureMatrix(solver)(subtract(b, a), facts);
  return { measures, baseNorm };
}

/** The same of two matrices that are read by their rows, a block of both at a time. */
export async function measureDifferenceOfRows(solver: RowSolver, a: RowSource, b: RowSource, facts: MatrixFacts): Promise<MeasuredDifference> {
  const { rows: base, norm } = withNorm(a);
  const read: RowSource["read"] = async (first, count) => {
    const before = await base.read(first, count);
    return subtract(await b.read(first, count), before);
  };
  const type = a.type === "float64" || b.type === "float64" ? "float64" : "float32";
  const { measures } = await measureRows(solver, { rows: b.rows, columns: b.columns, type, read }, facts);
  return { measures, baseNorm: norm() };
}

/** b − a in b's own storage, or in float64 where a needs it: near values lose nothing (Sterbenz 1974, theorem 4.3.1). */
function subtract(b: Matrix, a: Matrix): Matrix {
  const data = b.data instanceof Float32Array && a.data instanceof Float64Array ? Float64Array.from(b.data) : b.data;
  for (let i = 0; i < data.length; i++) data[i]! -= a.data[i]!;
  return { rows: b.rows, columns: b.columns, data };
}
