/**
 * The leading singular triplets by a block Krylov space: Musco & Musco, Randomized block Krylov methods for stronger and
 * faster approximate singular value decomposition (2015), with full reorthogonalization and Rayleigh–Ritz.
 */
import type { Block, Floats, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { orthonormalRows } from "./orthonormalRows";
import { scaleToModerate } from "./scaling";
import { allTriplets } from "./svd";
import { symmetricEigen } from "./symmetricEigen";
import { leading, type Triplets } from "./triplets";

/** Vectors that go through A together: fewer are slower for each, as memory bounds the products then. */
export const BLOCK = 32;
/** Products with AᵀA: gaps between the values are enough to be seen by then, or there are none. */
export const STEPS = 8;
/** The space has more than twice as many dimensions as triplets are asked for. */
const TRIPLETS_OF_BLOCK = 4;
/** Two are usual, three where the space has exhausted A. */
const MOST_PASSES = 6;
/** What a pass removes of unit vectors without spoiling their orthogonality to each other. */
const NEXT_TO_NOTHING = 1e-3;
/** Rounding of one product with A, as part of σ₁. */
const PRODUCT_ROUNDING = { float32: 4e-7, float64: 1e-14 } as const;

/** Triplets with a bound for each: a singular value of A lies within `bounds[i]` of `values[i]`, which is not too large. */
export interface BoundedTriplets extends Triplets {
  readonly bounds: Float64Array;
}

/**
 * The k leading triplets of an m × n matrix of finite values. Where the spectrum has gaps they are exact to rounding; in
 * a bulk of close values they are less, and the bounds, norms of residuals, say so. The storage may be scaled.
 */
export function leadingTriplets(matrix: Block, k: number, gemm: Gemm, module: KernelModule): BoundedTriplets {
  const { rows, columns, data } = matrix;
  const rounding = data instanceof Float32Array ? PRODUCT_ROUNDING.float32 : PRODUCT_ROUNDING.float64;
  if (!isWorthKrylov(matrix, k)) {
    const exact = leading(allTriplets(matrix, gemm, module), k);
    return { ...exact, bounds: exact.values.map(() => PRODUCT_ROUNDING.float64 * exact.values[0]!) };
  }
  const { frobenius, unscale } = scaleToModerate(data);
  if (frobenius === 0) return zeroTriplets(rows, columns, k);
  const { right, left } = krylovSpace(matrix, blockFor(k), gemm, module);
  const found = rayleighRitz(left, right, k, gemm, module);
  const residuals = residualNorms(matrix, found, gemm);
  const allowance = rounding * found.values[0]!;
  return {
    values: found.values.map((value) => value * unscale),
    left: found.left.data,
    right: found.right.data,
    bounds: residuals.map((norm) => (norm + allowance) * unscale),
  };
}

/** Whether the space for k triplets is small beside the matrix; otherwise all triplets, or values, cost no more. */
export function isWorthKrylov({ rows, columns }: { readonly rows: number; readonly columns: number }, k: number): boolean {
  return 2 * blockFor(k) * (STEPS + 1) <= Math.min(rows, columns);
}

function blockFor(k: number): number {
  return Math.max(BLOCK, Math.ceil(k / TRIPLETS_OF_BLOCK));
}

/** An orthonormal basis of span{V, (AᵀA)V, …, (AᵀA)^STEPS V} as rows (right), and its image under A as rows (left). */
function krylovSpace(a: Block, block: number, gemm: Gemm, module: KernelModule): { right: Block; left: Block } {
  const { rows, columns } = a;
  const dimensions = block * (STEPS + 1);
  // In float64 whatever A is: a basis is worth its orthogonality.
  const right = zeros(dimensions, columns);
  const left = zeros(dimensions, rows);
  const image: Block = { rows, columns: block, data: like(a.data, rows * block) };
  const sent: Block = { rows: block, columns, data: like(a.data, block * columns) };
  const returned: Block = { rows: block, columns: rows, data: like(a.data, block * rows) };
  fillStart(right.data.subarray(0, block * columns));
  for (let step = 0; step <= STEPS; step++) {
    const first = step * block;
    const found: Block = { rows: first, columns, data: right.data.subarray(0, first * columns) };
    const fresh: Block = { rows: block, columns, data: right.data.subarray(first * columns, (first + block) * columns) };
    orthonormalize(fresh, found, gemm, module);
    sent.data.set(fresh.data);
    gemm.multiplyTransB(a, sent, image);
    for (let i = 0; i < rows; i++) for (let j = 0; j < block; j++) returned.data[j * rows + i] = image.data[i * block + j]!;
    left.data.set(returned.data, first * rows);
    if (step === STEPS) break;
    gemm.multiply(returned, a, sent);
    right.data.set(sent.data, (first + block) * columns);
  }
  return { right, left };
}

/**
 * Makes the rows of `fresh` orthonormal and orthogonal to those found. One pass leaves of the others what rounding makes
 * of the norm that it takes away, magnified when the rest is normalized; so there are passes until one finds next to nothing.
 */
export function orthonormalize(fresh: Block, found: Block, gemm: Gemm, module: KernelModule): void {
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const removed = found.rows > 0 ? project(fresh, found, gemm) : 0;
    orthonormalRows(fresh, gemm, module);
    if (pass > 0 && removed < NEXT_TO_NOTHING) return;
  }
}

/** rest ← rest − (rest·foundᵀ)·found. Returns the largest entry of rest·foundᵀ. */
function project(rest: Block, found: Block, gemm: Gemm): number {
  const parts = zeros(rest.rows, found.rows);
  gemm.multiplyTransB(rest, found, parts);
  gemm.subtract(parts, found, rest);
  let largest = 0;
  for (let i = 0; i < parts.data.length; i++) largest = Math.max(largest, Math.abs(parts.data[i]!));
  return largest;
}

/** The best approximations of singular triplets from the space: A·right is left, exactly up to rounding. */
function rayleighRitz(left: Block, right: Block, k: number, gemm: Gemm, module: KernelModule): { values: Float64Array; left: Block & { readonly data: Float64Array }; right: Block & { readonly data: Float64Array } } {
  const dimensions = left.rows;
  const gram = new Float64Array(dimensions * dimensions);
  gemm.multiplyTransB(left, left, { rows: dimensions, columns: dimensions, data: gram });
  const { vectors } = symmetricEigen(gram, dimensions, gemm, module);
  const weights = zeros(k, dimensions);
  for (let i = 0; i < k; i++) weights.data.set(vectors.subarray((dimensions - 1 - i) * dimensions, (dimensions - i) * dimensions), i * dimensions);
  const [leftVectors, rightVectors] = [zeros(k, left.columns), zeros(k, right.columns)];
  gemm.multiply(weights, left, leftVectors);
  gemm.multiply(weights, right, rightVectors);
  const values = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    const row = leftVectors.data.subarray(i * left.columns, (i + 1) * left.columns);
    const norm = norm2(row);
    values[i] = norm;
    // A zero value has any left vector; zeros make its residual zero too.
    if (norm > 0) for (let j = 0; j < row.length; j++) row[j]! /= norm;
  }
  return { values, left: leftVectors, right: rightVectors };
}

/** ‖Aᵀuᵢ − σᵢvᵢ‖. As A vᵢ = σᵢuᵢ, a singular value lies within it of σᵢ (Weyl, on the matrix [0 A; Aᵀ 0]). */
function residualNorms(a: Block, { values, left, right }: { values: Float64Array; left: Block; right: Block }, gemm: Gemm): Float64Array {
  const sent: Block = { ...left, data: like(a.data, left.data.length) };
  sent.data.set(left.data);
  const product: Block = { rows: values.length, columns: a.columns, data: like(a.data, values.length * a.columns) };
  gemm.multiply(sent, a, product);
  return values.map((value, i) => {
    let sum = 0;
    for (let j = i * a.columns; j < (i + 1) * a.columns; j++) sum += (product.data[j]! - value * right.data[j]!) ** 2;
    return Math.sqrt(sum);
  });
}

export function norm2(x: Floats): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return Math.sqrt(sum);
}

/** The same in every run: mulberry32, uniform on (−½, ½). */
export function fillStart(data: Floats): void {
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    data[i] = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  }
}

function zeroTriplets(rows: number, columns: number, k: number): BoundedTriplets {
  const [left, right] = [new Float64Array(k * rows), new Float64Array(k * columns)];
  for (let i = 0; i < k; i++) left[i * rows + i] = right[i * columns + i] = 1;
  return { values: new Float64Array(k), left, right, bounds: new Float64Array(k) };
}

export function zeros(rows: number, columns: number): Block & { readonly data: Float64Array } {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

export function like(data: Floats, length: number): Floats {
  return data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
