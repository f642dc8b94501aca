/** Products in plain TypeScript, where ONNX Runtime has no binary: a hundredth of its speed. */
import type { Block, Gemm } from "./gemm";

export const plainGemm: Gemm = {
  description: "plain TypeScript",
  multiply(a, b, y) {
    y.data.fill(0, 0, y.rows * y.columns);
    addProduct(a, b, 1, y);
  },
  multiplyTransB(a, b, y) {
    y.data.fill(0, 0, y.rows * y.columns);
    addInnerProducts(a, b, 1, y);
  },
  subtract: (a, b, y) => addProduct(a, b, -1, y),
  addTransB: (a, b, y) => addInnerProducts(a, b, 1, y),
  subtractTransB: (a, b, y) => addInnerProducts(a, b, -1, y),
  stripRows: () => 64,
};

/** Y ← Y ± A·B, row after row: both B and Y are walked along their rows. */
function addProduct(a: Block, b: Block, sign: number, y: Block): void {
  const row = new Float64Array(y.columns);
  for (let i = 0; i < y.rows; i++) {
    row.fill(0);
    for (let k = 0; k < a.columns; k++) {
      const weight = a.data[i * a.columns + k]!;
      if (weight === 0) continue;
      for (let j = 0; j < row.length; j++) row[j]! += weight * b.data[k * b.columns + j]!;
    }
    for (let j = 0; j < row.length; j++) y.data[i * y.columns + j]! += sign * row[j]!;
  }
}

/** Y ← Y ± A·Bᵀ */
function addInnerProducts(a: Block, b: Block, sign: number, y: Block): void {
  const depth = a.columns;
  for (let i = 0; i < y.rows; i++) {
    for (let j = 0; j < y.columns; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += a.data[i * depth + k]! * b.data[j * depth + k]!;
      y.data[i * y.columns + j]! += sign * sum;
    }
  }
}
