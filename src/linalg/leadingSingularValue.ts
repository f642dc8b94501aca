import type { Matrix } from "./matrix";
import type { RowSource } from "./rowSource";

/** σ₁ without the other singular values. */
export interface LeadingSolver {
  /**
   * σ₁ of a matrix of finite values that is not zero, from below.
   * The matrix's storage may be overwritten.
   * @returns `value`, and `error`: the norm of the residual of its singular vectors, which bounds the distance to a
   * singular value. That it is the largest one is sure but for the measure-zero case of a random start that is
   * orthogonal to it.
   */
  leadingSingularValue(matrix: Matrix): Promise<{ readonly value: number; readonly error: number }>;
}

/** The same for matrices that are read by their rows too. */
export interface RowLeadingSolver extends LeadingSolver {
  leadingSingularValueOf(source: RowSource): Promise<{ readonly value: number; readonly error: number }>;
}
