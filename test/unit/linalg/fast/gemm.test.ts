import { describe, expect, it } from "vitest";
import type { Block } from "../../../../src/linalg/fast/gemm";
import { KernelModule } from "../../../../src/linalg/fast/kernels";
import { OnnxGemm } from "../../../../src/linalg/fast/onnxGemm";
import { plainGemm } from "../../../../src/linalg/fast/plainGemm";
import { gaussianMatrix } from "../../support/matrices";

const created = OnnxGemm.create(1);
if ("reason" in created) throw new Error(created.reason);
const native = created.gemm;

/** Σ a(i, k) b(k, j), the definition. */
function product(rows: number, columns: number, depth: number, a: (i: number, k: number) => number, b: (k: number, j: number) => number): number[] {
  const values: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += a(i, k) * b(k, j);
      values.push(sum);
    }
  }
  return values;
}

const at = ({ data, columns }: Block) => (i: number, j: number): number => data[i * columns + j]!;
const turned = ({ data, columns }: Block) => (i: number, j: number): number => data[j * columns + i]!;
const zeros = (rows: number, columns: number): Block => ({ rows, columns, data: new Float64Array(rows * columns) });

function furthest(block: Block, expected: readonly number[]): number {
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - block.data[i]!)), 0);
}

describe.each([["ONNX Runtime", native], ["plain TypeScript", plainGemm]] as const)("products by %s", (_, gemm) => {
  const a = gaussianMatrix(7, 5, 1);
  const b = gaussianMatrix(5, 9, 2);
  const c = gaussianMatrix(9, 5, 3);

  it("multiply row-major matrices, plain and transposed, to rounding", () => {
    const plain = zeros(7, 9);
    gemm.multiply(a, b, plain);
    expect(furthest(plain, product(7, 9, 5, at(a), at(b)))).toBeLessThan(1e-14);
    const right = zeros(7, 9);
    gemm.multiplyTransB(a, c, right);
    expect(furthest(right, product(7, 9, 5, at(a), turned(c)))).toBeLessThan(1e-14);
  });

  it("update a matrix in place", () => {
    const start = gaussianMatrix(7, 9, 4);
    const expected = product(7, 9, 5, at(a), at(b)).map((value, i) => start.data[i]! - value);
    const updated = { ...start, data: start.data.slice() };
    gemm.subtract(a, b, updated);
    expect(furthest(updated, expected)).toBeLessThan(1e-14);
    gemm.addTransB(a, c, updated);
    gemm.subtractTransB(a, c, updated);
    expect(furthest(updated, expected)).toBeLessThan(1e-13);
  });

  it("give the same numbers in several strips as in one", () => {
    // 3000 × 700 float64 is 16 MB: four calls.
    const tall = gaussianMatrix(3000, 3, 5);
    const wide = gaussianMatrix(3, 700, 6);
    const y = zeros(3000, 700);
    gemm.multiply(tall, wide, y);
    expect(furthest(y, product(3000, 700, 3, at(tall), at(wide)))).toBeLessThan(1e-14);
  });

  it("read and write views on WebAssembly memory, and single precision", () => {
    const [x, y] = new KernelModule().allocate("float32", 6, 4);
    x!.set([1, 2, 3, 4, 5, 6]);
    gemm.multiplyTransB({ rows: 2, columns: 3, data: x! }, { rows: 2, columns: 3, data: x! }, { rows: 2, columns: 2, data: y! });
    expect([...y!]).toEqual([14, 32, 32, 77]);
  });
});
