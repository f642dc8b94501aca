import type { Floats } from "./gemm";

/** rows × columns → columns × rows, in squares that stay in cache. @returns the target */
export function transposeInto<T extends Floats>(source: Floats, rows: number, columns: number, target: T): T {
  for (let i0 = 0; i0 < rows; i0 += 16) {
    const i1 = Math.min(rows, i0 + 16);
    for (let j = 0; j < columns; j++) for (let i = i0; i < i1; i++) target[j * rows + i] = source[i * columns + j]!;
  }
  return target;
}
