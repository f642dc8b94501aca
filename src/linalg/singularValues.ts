import type { ElementType, Matrix } from "./matrix";
import type { RowSource } from "./rowSource";

/** The one way to a spectrum. Measures know this type and none of its implementations. */
export interface SpectrumSolver {
  /**
   * All min(m, n) singular values of an m × n matrix of finite values, largest first.
   * The matrix's storage may be overwritten.
   */
  singularValues(matrix: Matrix): Promise<Float64Array>;
}

/** A solver that says how far its values may be off. */
export interface RatedSolver extends SpectrumSolver {
  /** Bound of |Δσ|/σ₁ of what `singularValues` would give for such a matrix. */
  accuracyFor(matrix: { readonly rows: number; readonly columns: number; readonly type: ElementType }): number;
}

/** A solver for matrices that are read by their rows too. */
export interface RowSolver extends RatedSolver {
  /** As `singularValues`, to the accuracy of `accuracyFor`. */
  singularValuesOf(source: RowSource): Promise<Float64Array>;
}
