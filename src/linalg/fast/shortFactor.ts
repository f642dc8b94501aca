/** Tall and wide matrices without squaring: Householder LQ of the short side first (Chan 1982), by blocks. */
import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { triangularFactor } from "./triangularFactor";

/** Rows of a panel: the panel kernel does what lies within, products what lies below. */
const PANEL = 32;
/** Elements that the loops of the panel kernel take at a turn. */
const PADDING = 8;

/**
 * The lower triangular factor (short × short, float64), which has the singular values of the matrix.
 * @param matrix a wide float64 matrix whose rows need no padding is overwritten
 * @param negligible squared norm that counts as zero
 * @param factor where to put it, short²
 */
export function shortFactor(matrix: Block, gemm: Gemm, module: KernelModule, negligible: number, factor?: Float64Array): Block & { readonly data: Float64Array } {
  const short = Math.min(matrix.rows, matrix.columns);
  const long = Math.ceil(Math.max(matrix.rows, matrix.columns) / PADDING) * PADDING;
  const a = shortSideAsRows(matrix, short, long);
  const l = factor ?? new Float64Array(short * short);
  const allocated = module.allocate("float64", PANEL * long, PANEL * long, PANEL * PANEL, PANEL, PANEL * PANEL, PANEL * PANEL, short * PANEL);
  const [reflectors, weighted, corner, taus, gram, triangle, products] = allocated as Float64Array[] as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  for (let first = 0; first < short; first += PANEL) {
    const count = Math.min(PANEL, short - first);
    const next = first + count;
    reflectors.set(a.subarray(first * long, next * long));
    // What earlier panels made of these rows is final.
    for (let i = 0; i < count; i++) {
      l.set(reflectors.subarray(i * long, i * long + first), (first + i) * short);
      reflectors.fill(0, i * long, i * long + first);
    }
    module.float64.factorPanel(reflectors.byteOffset, count, long, first, corner.byteOffset, taus.byteOffset, negligible);
    for (let i = 0; i < count; i++) l.set(corner.subarray(i * count, i * count + i + 1), (first + i) * short + first);
    if (next === short) break;
    const w: Block = { rows: count, columns: long, data: reflectors };
    const sw: Block = { rows: count, columns: long, data: weighted };
    gemm.multiplyTransB(w, w, { rows: count, columns: count, data: gram });
    triangularFactor(gram, taus, count, triangle);
    gemm.multiply({ rows: count, columns: count, data: triangle }, w, sw);
    const below: Block = { rows: short - next, columns: long, data: a.subarray(next * long) };
    const product: Block = { rows: short - next, columns: count, data: products };
    gemm.multiplyTransB(below, sw, product);
    gemm.subtract(product, w, below);
  }
  return { rows: short, columns: short, data: l };
}

/** A float64 copy, short × long, with zeros behind the matrix's own long side; the matrix itself where it is that already. */
function shortSideAsRows({ rows, columns, data }: Block, short: number, long: number): Float64Array {
  if (data instanceof Float64Array && rows === short && columns === long) return data;
  const copy = new Float64Array(short * long);
  if (rows <= columns) {
    for (let i = 0; i < rows; i++) copy.set(data.subarray(i * columns, (i + 1) * columns), i * long);
    return copy;
  }
  // Transposed in strips that stay in cache.
  for (let i0 = 0; i0 < rows; i0 += 16) {
    const i1 = Math.min(rows, i0 + 16);
    for (let j = 0; j < columns; j++) for (let i = i0; i < i1; i++) copy[j * long + i] = data[i * columns + j]!;
  }
  return copy;
}
