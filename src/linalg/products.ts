import type { Matrix } from "./matrix";
import { transposed as turned } from "./transposed";

/** A·B in float64. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) throw new Error(`${a.rows} × ${a.columns} times ${b.rows} × ${b.columns}`);
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    const to = i * b.columns;
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[i * a.columns + k]!, from = k * b.columns;
      // Diagonals and identities are mostly zeros; infinite entries do not come here.
      if (factor === 0) continue;
      for (let j = 0; j < b.columns; j++) data[to + j]! += factor * b.data[from + j]!;
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

/** A ⊗ B: every entry of A times all of B. */
export function kronecker(a: Matrix, b: Matrix): Matrix {
  const columns = a.columns * b.columns;
  const data = new Float64Array(a.rows * b.rows * columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < b.rows; k++) {
      let to = (i * b.rows + k) * columns;
      for (let j = 0; j < a.columns; j++) {
        const factor = a.data[i * a.columns + j]!;
        for (let l = 0; l < b.columns; l++) data[to++] = factor * b.data[k * b.columns + l]!;
      }
    }
  }
  return { rows: a.rows * b.rows, columns, data };
}

/** A ∘ B, entry by entry. */
export function hadamard(a: Matrix, b: Matrix): Matrix {
  return { rows: a.rows, columns: a.columns, data: Float64Array.from(a.data, (value, index) => value * b.data[index]!) };
}

/** Row by row the Kronecker product of both rows: m × p and m × q give m × pq. */
export function faceSplitting(a: Matrix, b: Matrix): Matrix {
  const columns = a.columns * b.columns;
  const data = new Float64Array(a.rows * columns);
  let to = 0;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) {
      const factor = a.data[i * a.columns + j]!;
      for (let l = 0; l < b.columns; l++) data[to++] = factor * b.data[i * b.columns + l]!;
    }
  }
  return { rows: a.rows, columns, data };
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  return { rows: columns, columns: rows, data: turned(data, rows, columns) };
}

export function diagonal(values: Matrix["data"]): Matrix {
  const size = values.length;
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = values[i]!;
  return { rows: size, columns: size, data };
}
