import { reflect } from "./householder";
import { multiply, updateTwiceAndProject } from "./rowPasses";

/**
 * Reduces a square matrix to upper Hessenberg form with the same eigenvalues, by Householder reflectors
 * (Golub & Van Loan §7.4.3; LAPACK's dgehrd). The update A − u yᵀ − x uᵀ by a reflector from both sides is deferred to
 * the next pass, as in `bidiagonalize`. 10n³/3 operations.
 * @param a n × n, row-major, entries of size about 1 at most; overwritten, zero below the subdiagonal
 */
export function reduceToHessenberg(a: Float64Array, n: number): void {
  let before = emptyStep(n);
  let step = emptyStep(n);
  for (let k = 0; k < n; k++) {
    const { u, y, x } = step;
    finishColumn(a, n, k, before);
    if (k === n - 1) break;
    for (let i = 0; i < n; i++) u[i] = i <= k ? 0 : a[i * n + k]!;
    const { tau, beta } = reflect(u, k + 1, n);
    for (let i = k + 1; i < n; i++) a[i * n + k] = i === k + 1 ? beta : 0;

    y.fill(0);
    const trailing = { a, width: n, firstRow: 0, endRow: n, firstColumn: k + 1 };
    updateTwiceAndProject(trailing, before.u, before.y, before.x, before.u, u, y);
    multiply(trailing, u, x);
    let yu = 0;
    for (let j = k + 1; j < n; j++) {
      y[j]! *= tau;
      yu += y[j]! * u[j]!;
    }
    for (let i = 0; i < n; i++) x[i] = tau * (x[i]! - u[i]! * yu);
    [before, step] = [step, before];
  }
}

/** Vectors of one step: A still lacks the update A − u yᵀ − x uᵀ. */
interface Step {
  readonly u: Float64Array;
  readonly y: Float64Array;
  readonly x: Float64Array;
}

function emptyStep(n: number): Step {
  return { u: new Float64Array(n), y: new Float64Array(n), x: new Float64Array(n) };
}

/** Column k gets the deferred update. */
function finishColumn(a: Float64Array, n: number, k: number, { u, y, x }: Step): void {
  const [yk, uk] = [y[k]!, u[k]!];
  for (let i = 0, p = k; i < n; i++, p += n) a[p]! -= u[i]! * yk + x[i]! * uk;
}
