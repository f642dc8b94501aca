import { diagonalizeWithRight } from "./bidiagonalSingularValues";
import { bidiagonalize } from "./bidiagonalize";
import type { Matrix } from "./matrix";
import { orthonormalColumns } from "./orthonormal";
import { tallView } from "./tallView";
import { triangularFactor } from "./triangularFactor";
import { transposed } from "./transposed";

/** W ≈ left · diag(values) · right, the nearest matrix of its rank (Eckart & Young). */
export interface Triplets {
  readonly rank: number;
  /** Largest first. */
  readonly values: Float64Array;
  /** m × rank, row-major, orthonormal columns. */
  readonly left: Float64Array;
  /** rank × n, row-major, orthonormal rows. */
  readonly right: Float64Array;
}

/** The one way to singular vectors: a faster one takes its place here. */
export interface TruncatedSvd {
  /**
   * @param matrix m × n of finite values; read, not written
   * @param rank at most min(m, n)
   * @param group which of several matrices of a layer it is, for one that knows what each is applied to
   */
  truncate(matrix: Matrix, rank: number, group?: number): Promise<Triplets>;
}

/**
 * Singular vectors in float64 by Householder reflectors and the QR iteration (Golub & Reinsch 1970), with only the
 * short side's vectors accumulated; the long side's are their images, W v = σ u. Error about K · 1e-16 · σ₁.
 * Plain TypeScript, on the calling thread: about 2mn² + 10n³ operations for n the shorter side.
 */
export const exactSvd: TruncatedSvd = {
  truncate: async (matrix, rank) => truncate(matrix, rank),
};

function truncate(matrix: Matrix, rank: number): Triplets {
  const { rows, columns } = matrix;
  const shorter = Math.min(rows, columns);
  if (rank > shorter) throw new Error(`a matrix of ${rows} × ${columns} has no ${rank} singular values`);
  const { values, vectors } = shortSide(matrix);
  const near = vectors.subarray(0, rank * shorter);
  const far = images(matrix, near, rank);
  // From rounding on, an image has no direction of its own: any that completes the basis will do.
  orthonormalColumns(far, Math.max(rows, columns), rank, values);
  const kept = values.slice(0, rank);
  return rows >= columns ? { rank, values: kept, left: far, right: near.slice() } : { rank, values: kept, left: transposed(near, rank, shorter), right: transposed(far, columns, rank) };
}

/** Values, and vectors of the shorter side as rows of a K × K matrix. */
function shortSide(matrix: Matrix): { values: Float64Array; vectors: Float64Array } {
  const view = tallView(matrix);
  const { columns: n, unit } = view;
  if (n === 0 || unit === 0) return { values: new Float64Array(n), vectors: identity(n) };
  const reflectors: { readonly v: Float64Array; readonly tau: number }[] = [];
  const bidiagonal = bidiagonalize(triangularFactor(view), n, n, (k, v, tau) => reflectors.push({ v: v.slice(k + 1), tau }));
  const basis = productOf(reflectors, n);
  diagonalizeWithRight(bidiagonal, (i, cosine, sine) => rotateRows(basis, n, i, cosine, sine));
  const d = bidiagonal.diagonal;
  const order = Array.from(d.keys()).sort((a, b) => Math.abs(d[b]!) - Math.abs(d[a]!));
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(basis.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, (index) => Math.abs(d[index]!) * unit), vectors };
}

/** (H₁ H₂ … )ᵀ as rows, from the last reflector to the first so that each touches only what is not the identity yet. */
function productOf(reflectors: readonly { readonly v: Float64Array; readonly tau: number }[], n: number): Float64Array {
  const vt = identity(n);
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const { v, tau } = reflectors[k]!;
    if (tau === 0) continue;
    // V ← H V is Vᵀ ← Vᵀ H: row by row, along memory.
    for (let row = k + 1; row < n; row++) {
      const at = row * n + k + 1;
      let dot = 0;
      for (let j = 0; j < v.length; j++) dot += vt[at + j]! * v[j]!;
      if (dot === 0) continue;
      dot *= tau;
      for (let j = 0; j < v.length; j++) vt[at + j]! -= dot * v[j]!;
    }
  }
  return vt;
}

function rotateRows(a: Float64Array, n: number, i: number, cosine: number, sine: number): void {
  for (let p = i * n, q = p + n, end = p + n; p < end; p++, q++) {
    const x = a[p]!, y = a[q]!;
    a[p] = cosine * x + sine * y;
    a[q] = cosine * y - sine * x;
  }
}

/** The matrix (or its transpose, whichever is tall) times the vectors: long side × rank. */
function images({ rows, columns, data }: Matrix, vectors: Float64Array, rank: number): Float64Array {
  if (rows >= columns) {
    const out = new Float64Array(rows * rank);
    for (let i = 0; i < rows; i++) {
      for (let r = 0; r < rank; r++) {
        let dot = 0;
        for (let j = 0, p = i * columns, q = r * columns; j < columns; j++) dot += data[p++]! * vectors[q++]!;
        out[i * rank + r] = dot;
      }
    }
    return out;
  }
  const out = new Float64Array(rank * columns);
  for (let r = 0; r < rank; r++) {
    const to = out.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < rows; i++) {
      const factor = vectors[r * rows + i]!;
      for (let j = 0, p = i * columns; j < columns; j++) to[j]! += factor * data[p++]!;
    }
  }
  return transposed(out, rank, columns);
}

function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}
