import { SingularValueDecomposition, Matrix as Dense } from "ml-matrix";
import type { LeadingSolver } from "./leadingSingularValue";
import type { Matrix } from "./matrix";

/** σ₁ is found to this relative error where the spectrum lets it, and to what MOST_STEPS give elsewhere. */
const ENOUGH = 1e-8;
const MOST_STEPS = 96;
/** Steps between two looks at the small problem. */
const LOOK_EVERY = 8;
/** A new direction this short is rounding error: the subspace is invariant. */
const NEGLIGIBLE = 1e-14;

/**
 * Golub–Kahan–Lanczos bidiagonalization with full reorthogonalization (Golub & Van Loan, 4th ed., §10.4.4): plain
 * TypeScript, for machines without ONNX Runtime.
 */
export const lanczos: LeadingSolver = {
  leadingSingularValue: async (matrix) => leading(matrix),
};

function leading({ rows, columns, data }: Matrix): { value: number; error: number } {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  const unit = 2 ** Math.floor(Math.log2(largest));
  const left: Float64Array[] = [], right: Float64Array[] = [];
  const alphas: number[] = [], betas: number[] = [];
  let v = start(columns);
  let best = { value: 0, error: Infinity };
  for (let step = 1; step <= Math.min(MOST_STEPS, rows, columns); step++) {
    right.push(v);
    const u = new Float64Array(rows);
    for (let i = 0; i < rows; i++) u[i] = dot(data, i * columns, v) / unit;
    const alpha = orthonormalize(u, left);
    left.push(u);
    alphas.push(alpha);
    const next = new Float64Array(columns);
    for (let i = 0; i < rows; i++) add(next, u[i]! / unit, data, i * columns);
    const beta = orthonormalize(next, right);
    if (step % LOOK_EVERY === 0 || beta < NEGLIGIBLE || step === Math.min(MOST_STEPS, rows, columns)) {
      best = ritz(alphas, betas, beta);
      if (best.error <= ENOUGH * best.value) break;
    }
    betas.push(beta);
    v = next;
  }
  return { value: best.value * unit, error: best.error * unit };
}

/** Largest singular value of the bidiagonal B (αs on, βs above the diagonal); its residual is β·|last entry of its left vector|. */
function ritz(alphas: readonly number[], betas: readonly number[], beta: number): { value: number; error: number } {
  const size = alphas.length;
  const small = Dense.zeros(size, size);
  alphas.forEach((alpha, i) => small.set(i, i, alpha));
  betas.slice(0, size - 1).forEach((value, i) => small.set(i, i + 1, value));
  const svd = new SingularValueDecomposition(small);
  return { value: svd.diagonal[0] ?? 0, error: beta * Math.abs(svd.leftSingularVectors.get(size - 1, 0)) };
}

/** Entries of alternating sign and irrational spacing: the same in every run, orthogonal to nothing that is common. */
function start(length: number): Float64Array {
  const v = Float64Array.from({ length }, (_, i) => Math.cos(1 + i * i * 0.618));
  orthonormalize(v, []);
  return v;
}

/** Twice is enough (Parlett): takes the others' parts out of x and scales it to norm 1. @returns the norm it had */
function orthonormalize(x: Float64Array, others: readonly Float64Array[]): number {
  for (let pass = 0; pass < 2; pass++) for (const other of others) add(x, -dot(other, 0, x), other, 0);
  const norm = Math.sqrt(dot(x, 0, x));
  if (norm > 0) for (let i = 0; i < x.length; i++) x[i]! /= norm;
  return norm;
}

function dot(a: Float32Array | Float64Array, from: number, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[from + i]! * b[i]!;
  return sum;
}

function add(target: Float64Array, factor: number, source: Float32Array | Float64Array, from: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[from + i]!;
}
