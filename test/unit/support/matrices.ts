import type { Matrix } from "../../../src/linalg/matrix";

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normally distributed numbers of mean 0 and variance 1 (Box–Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function gaussianMatrix(rows: number, columns: number, seed: number): Matrix & { readonly data: Float64Array } {
  const next = normal(seed);
  return { rows, columns, data: Float64Array.from({ length: rows * columns }, next) };
}

/** Reflectors on each side: enough to mix all rows and columns with each other. */
const REFLECTORS = 4;

/**
 * A dense m × n matrix of the given singular values (min(m, n) of them or fewer, the rest zero): their diagonal matrix,
 * multiplied from both sides with random reflectors. Exact to about 1e-15 · σ₁.
 */
export function matrixOfSpectrum(rows: number, columns: number, singularValues: ArrayLike<number>, seed = 1): Matrix & { readonly data: Float64Array } {
  if (singularValues.length > Math.min(rows, columns)) throw new Error(`${singularValues.length} singular values in a matrix of ${rows} × ${columns}`);
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < singularValues.length; i++) data[i * columns + i] = singularValues[i]!;
  const next = normal(seed);
  for (let i = 0; i < REFLECTORS; i++) {
    reflectRows({ rows, columns, data }, Float64Array.from({ length: rows }, next));
    reflectColumns({ rows, columns, data }, Float64Array.from({ length: columns }, next));
  }
  return { rows, columns, data };
}

/** A ← (I − 2uuᵀ/uᵀu) A */
export function reflectRows({ rows, columns, data }: Matrix, u: Float64Array): void {
  const factor = 2 / u.reduce((sum, value) => sum + value * value, 0);
  for (let j = 0; j < columns; j++) {
    let product = 0;
    for (let i = 0; i < rows; i++) product += u[i]! * data[i * columns + j]!;
    for (let i = 0; i < rows; i++) data[i * columns + j]! -= factor * product * u[i]!;
  }
}

/** A ← A (I − 2uuᵀ/uᵀu) */
export function reflectColumns({ rows, columns, data }: Matrix, u: Float64Array): void {
  const factor = 2 / u.reduce((sum, value) => sum + value * value, 0);
  for (let i = 0; i < rows; i++) {
    let product = 0;
    for (let j = 0; j < columns; j++) product += u[j]! * data[i * columns + j]!;
    for (let j = 0; j < columns; j++) data[i * columns + j]! -= factor * product * u[j]!;
  }
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!;
  return { rows: columns, columns: rows, data: turned };
}

export function scaledBy({ rows, columns, data }: Matrix, factor: number): Matrix {
  return { rows, columns, data: Float64Array.from(data, (value) => value * factor) };
}

export function asFloat32({ rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: Float32Array.from(data) };
}

/** Solvers may overwrite their matrix. */
export function copyOf({ rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: data.slice() };
}
