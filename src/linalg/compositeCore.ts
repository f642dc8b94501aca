import { fullRankOf, type Composite } from "./composite";
import type { Matrix } from "./matrix";
import { diagonal, faceSplitting, hadamard, kronecker, multiply, transposed } from "./products";
import { tallView } from "./tallView";
import { triangularFactor } from "./triangularFactor";

/**
 * A small matrix with the singular values of a composite one (and zeros beside them, where it is larger than the rank
 * can be). A product B·A becomes R_B·R_Aᵀ with B = Q R_B and Aᵀ = Q R_A (Q's columns are orthonormal, so they change no
 * singular value), never formed. A ∘ B of low ranks p and q is one product of rank pq, of the face-splitting products
 * of its factors (Slyusar 1998); of higher ranks it is formed, as it then is no larger than any layer.
 * @param composite of finite values and of sizes that fit
 * @returns storage of its own, or that of a leaf
 */
export function coreOf(composite: Composite<Matrix>): Matrix {
  switch (composite.op) {
    case "product": return coreOfProduct(composite.factors);
    case "hadamard": return coreOfHadamard(composite.factors);
    case "matrix": case "diagonal": case "identity": case "kronecker": return dense(composite);
  }
}

function coreOfProduct(factors: readonly Composite<Matrix>[]): Matrix {
  const [first, ...others] = factors;
  const last = others.pop();
  if (first === undefined) throw new Error("a product of nothing");
  if (last === undefined) return coreOf(first);
  const left = others.reduce((all, factor) => multiply(all, dense(factor)), withoutLeftBasis(dense(first)));
  return multiply(left, withoutRightBasis(last));
}

function coreOfHadamard([a, b]: readonly [Composite<Matrix>, Composite<Matrix>]): Matrix {
  const first = split(a), second = split(b);
  if (first === null || second === null) return hadamard(dense(a), dense(b));
  const rank = first.left.columns * second.left.columns;
  if (rank >= Math.min(first.left.rows, first.right.columns)) return hadamard(multiply(first.left, first.right), multiply(second.left, second.right));
  const right = transposed(faceSplitting(transposed(first.right), transposed(second.right)));
  return multiply(withoutLeftBasis(faceSplitting(first.left, second.left)), withoutRightBasis({ op: "matrix", leaf: right }));
}

/** A product as two factors, m × r and r × n; null when it is none. */
function split(composite: Composite<Matrix>): { left: Matrix; right: Matrix } | null {
  if (composite.op !== "product") return null;
  const [first, ...others] = composite.factors;
  if (first === undefined || others.length === 0) return null;
  return { left: dense(first), right: dense({ op: "product", factors: others }) };
}

/** R of F = QR, or F itself where that is no larger. */
function withoutLeftBasis(factor: Matrix): Matrix {
  return factor.rows > factor.columns ? triangle(factor) : factor;
}

/** L of F = LQᵀ, or F itself where that is no larger. I ⊗ F has I ⊗ L. */
function withoutRightBasis(composite: Composite<Matrix>): Matrix {
  if (composite.op === "kronecker" && composite.factors[0].op === "identity") {
    return kronecker(dense(composite.factors[0]), withoutRightBasis(composite.factors[1]));
  }
  const factor = dense(composite);
  return factor.columns > factor.rows ? transposed(triangle(factor)) : factor;
}

/** The triangular factor of the tall one of F and Fᵀ. */
function triangle(factor: Matrix): Matrix {
  const view = tallView(factor);
  const size = view.columns;
  // A zero matrix has no scale, and a zero triangle.
  const data = view.unit === 0 ? new Float64Array(size * size) : triangularFactor(view);
  for (let i = 0; i < data.length; i++) data[i]! *= view.unit;
  return { rows: size, columns: size, data };
}

function dense(composite: Composite<Matrix>): Matrix {
  switch (composite.op) {
    case "matrix": return composite.leaf;
    case "diagonal": return diagonal(composite.leaf.data);
    case "identity": return diagonal(new Float64Array(composite.size).fill(1));
    case "product": return composite.factors.map(dense).reduce(multiply);
    case "hadamard": return hadamard(dense(composite.factors[0]), dense(composite.factors[1]));
    case "kronecker": return kronecker(dense(composite.factors[0]), dense(composite.factors[1]));
  }
}

/** σ(A ⊗ B): all products of σ(A) and σ(B), largest first. */
export function kroneckerSpectrum(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length * b.length);
  a.forEach((value, i) => { b.forEach((other, j) => { out[i * b.length + j] = value * other; }); });
  return out.sort().reverse();
}

/** Singular values of a core that can differ from zero: as many as the composite matrix can have. */
export function withinRank(singularValues: Float64Array, composite: Composite<Matrix>): Float64Array {
  return singularValues.slice(0, fullRankOf(composite));
}
