/** Tall and wide matrices: Householder LQ of the short side first (Chan 1982), by blocks. */
import type { Block, Floats, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { ReflectedMatrix } from "./reflectedMatrix";

/** Rows of a panel: the panel kernel does what lies within, products what lies below. */
const PANEL = 32;
/** Elements that the loops of the panel kernel take at a turn, in either precision: rows are padded to multiples of it. */
export const PADDING = 16;

/**
 * The lower triangular factor (short × short, of the matrix's type), which has the singular values of the matrix.
 * @param matrix left as it is where there is a work storage, and where its rows are padded or it is transposed
 * @param negligible squared norm that counts as zero
 * @param work at least as long as the matrix, asked for where no copy is made anyway; left out: the matrix's own storage
 * @param factor where to put the factor, short²
 */
export function shortFactor<T extends Floats>(matrix: Block & { readonly data: T }, gemm: Gemm, module: KernelModule, negligible: number, { work, factor }: { work?: () => T; factor?: T } = {}): Block & { readonly data: T } {
  const short = Math.min(matrix.rows, matrix.columns);
  const wide = shortSideAsRows(matrix, short);
  const lower = factor ?? zeros(matrix.data, short * short);
  const a = new ReflectedMatrix(wide, PANEL, wide.data === matrix.data ? (work?.() ?? wide.data) : wide.data, gemm, module, negligible);
  for (let done = 0; done < short; ) {
    a.startBlock();
    let dead = 0;
    for (; dead < a.rank && done + dead < short; dead += PANEL) {
      const panel = a.loadRows(dead, dead, Math.min(PANEL, a.rows - dead));
      const first = done + dead;
      // What the block's earlier panels made of these rows is final.
      for (let i = 0; i < panel.rows; i++) lower.set(panel.data.subarray(i * a.columns, i * a.columns + dead), (first + i) * short + done);
      a.reduceRows(panel, dead, dead, dead);
      for (let i = 0; i < panel.rows; i++) lower.set(a.w.factor.subarray(i * panel.rows, i * panel.rows + i + 1), (first + i) * short + first);
    }
    if (done + dead >= short) break;
    for (let column = 0; column < dead; column += PANEL) {
      a.loadColumns(dead, column, dead);
      for (let i = 0; i < a.rows - dead; i++) lower.set(a.w.panel.subarray(i * PANEL, (i + 1) * PANEL), (done + dead + i) * short + done + column);
    }
    a.update(dead);
    done += dead;
  }
  return { rows: short, columns: short, data: lower };
}

/** The matrix, transposed if it is tall, its rows padded with zeros: itself where it needs neither. */
function shortSideAsRows<T extends Floats>({ rows, columns, data }: Block & { readonly data: T }, short: number): Block & { readonly data: T } {
  const long = Math.ceil(Math.max(rows, columns) / PADDING) * PADDING;
  if (rows === short && columns === long) return { rows, columns, data };
  const copy = zeros(data, short * long);
  if (rows <= columns) {
    for (let i = 0; i < rows; i++) copy.set(data.subarray(i * columns, (i + 1) * columns), i * long);
    return { rows: short, columns: long, data: copy };
  }
  // Transposed in strips that stay in cache.
  for (let i0 = 0; i0 < rows; i0 += 16) {
    const i1 = Math.min(rows, i0 + 16);
    for (let j = 0; j < columns; j++) for (let i = i0; i < i1; i++) copy[j * long + i] = data[i * columns + j]!;
  }
  return { rows: short, columns: long, data: copy };
}

function zeros<T extends Floats>(like: T, length: number): T {
  return (like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as T;
}
