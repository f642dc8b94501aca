/**
 * A matrix under block reflectors from the left and from the right, whose effect on it is deferred over several panels as
 * in LAPACK's xLABRD: within a block of panels A − X·Y stands for it. Nearly all of the work is products.
 */
import type { ElementType } from "../matrix";
import type { Block, Floats, Gemm } from "./gemm";
import type { KernelModule, Kernels } from "./kernels";
import { triangularFactor } from "./triangularFactor";

/** Rank of a deferred update. Larger reads and writes a matrix beyond the caches less often, and costs corrections of every panel. */
function updateRank(order: number, b: number): number {
  return (order <= 2560 ? 2 : 4) * b;
}

/** Everything that one matrix needs besides itself, in the kernels' memory. */
interface Workspace {
  /** M × rank: the left factors of the deferred updates. */
  readonly x: Floats;
  /** rank × N: the right ones. */
  readonly y: Floats;
  readonly panel: Floats;
  /** b × max(M, N): reflectors as rows. */
  readonly reflectors: Floats;
  readonly weighted: Floats;
  /** b × b: what the panel's own vectors became. */
  readonly factor: Floats;
  readonly taus: Floats;
  readonly gram: Floats;
  readonly triangle: Floats;
  readonly coefficients: Floats;
  readonly prefix: Floats;
  readonly slice: Floats;
}

export class ReflectedMatrix {
  readonly rank: number;
  readonly w: Workspace;
  /** What was asked for besides, in the kernels' memory too. */
  readonly extra: readonly Floats[];
  /** Shape of the trailing matrix; it lies contiguous at the start of `data`: the matrix itself at first, then the work storage. */
  rows: number;
  columns: number;
  private data: Floats;
  private readonly kernels: Kernels;

  /**
   * @param matrix its columns are a multiple of what a turn of the panel kernel takes
   * @param b vectors of a panel
   * @param work as long as the matrix, or its own storage, which is overwritten then
   * @param negligible squared norm that counts as zero
   * @param extra lengths of further arrays
   */
  constructor(matrix: Block, readonly b: number, private readonly work: Floats, private readonly gemm: Gemm, module: KernelModule, private readonly negligible: number, ...extra: readonly number[]) {
    const type: ElementType = matrix.data instanceof Float32Array ? "float32" : "float64";
    this.kernels = module.of(type);
    this.data = matrix.data;
    this.rows = matrix.rows;
    this.columns = matrix.columns;
    const { rows, columns } = this;
    const rank = (this.rank = updateRank(Math.min(rows, columns), b));
    const long = Math.max(rows, columns);
    const square = b * b;
    const [x, y, panel, reflectors, weighted, factor, taus, gram, triangle, coefficients, prefix, slice, ...others] = module.allocate(
      type, rows * rank, rank * columns, long * b, long * b, long * b, square, b, square, square, b * rank, b * rank, rank * b, ...extra,
    ) as [Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, ...Floats[]];
    this.w = { x, y, panel, reflectors, weighted, factor, taus, gram, triangle, coefficients, prefix, slice };
    this.extra = others;
  }

  /** A new block of panels: nothing is deferred. */
  startBlock(): void {
    this.w.x.fill(0, 0, this.rows * this.rank);
  }

  /** The columns c … c + b from row r down as they are by now, height × b in `panel`. */
  loadColumns(r: number, c: number, used: number): void {
    const { b, rank, gemm, w, rows, columns, data } = this;
    for (let i = r, to = 0; i < rows; i++) {
      const row = i * columns + c;
      for (let j = row; j < row + b; j++) w.panel[to++] = data[j]!;
    }
    if (used === 0) return;
    for (let i = 0; i < rank; i++) for (let j = 0; j < b; j++) w.slice[i * b + j] = w.y[i * columns + c + j]!;
    gemm.subtract(from(w.x, r * rank, rows - r, rank), block(w.slice, rank, b), block(w.panel, rows - r, b));
  }

  /** Householder QR of the columns c … c + b from row r down; rows below r − 1 of the trailing matrix get Hᵀ from the left. */
  reduceColumns(r: number, c: number, used: number): void {
    const { b, rank, kernels, gemm, w, rows, columns } = this;
    const height = rows - r;
    this.loadColumns(r, c, used);
    kernels.transpose(w.panel.byteOffset, height, b, b, w.reflectors.byteOffset, height);
    kernels.factorPanel(w.reflectors.byteOffset, b, height, 0, w.factor.byteOffset, w.taus.byteOffset, this.negligible);
    const v = block(w.reflectors, b, height);
    const tv = this.weigh(v);
    // Y gets Tᵀ Vᵀ (A − X Y), X gets V.
    const fresh = from(w.y, used * columns, b, columns);
    gemm.multiply(tv, from(this.data, r * columns, height, columns), fresh);
    if (used > 0) {
      gemm.multiply(tv, from(w.x, r * rank, height, rank), block(w.coefficients, b, rank));
      for (let i = 0; i < b; i++) for (let j = 0; j < used; j++) w.prefix[i * used + j] = w.coefficients[i * rank + j]!;
      gemm.subtract(block(w.prefix, b, used), block(w.y, used, columns), fresh);
    }
    const bytes = kernels.bytesPerElement;
    kernels.transpose(w.reflectors.byteOffset, b, height, height, w.x.byteOffset + (r * rank + used) * bytes, rank);
  }

  /** The rows r … r + count as they are by now, count × columns in `reflectors`. */
  loadRows(r: number, used: number, count = this.b): Block {
    const { rank, gemm, w, columns } = this;
    const panel = block(w.reflectors, count, columns);
    panel.data.set(this.data.subarray(r * columns, (r + count) * columns));
    if (used > 0) gemm.subtract(from(w.x, r * rank, count, rank), block(w.y, rank, columns), panel);
    return panel;
  }

  /** Householder LQ of the loaded rows r … r + count from column c on; the rows below get H from the right. */
  reduceRows(panel: Block, r: number, c: number, used: number): void {
    const { b, rank, kernels, gemm, w, columns } = this;
    const below = r + panel.rows;
    const height = this.rows - below;
    for (let i = 0; i < panel.rows; i++) panel.data.fill(0, i * columns, i * columns + c);
    kernels.factorPanel(w.reflectors.byteOffset, panel.rows, columns, c, w.factor.byteOffset, w.taus.byteOffset, this.negligible);
    if (height === 0) return;
    const sw = this.weigh(panel);
    // X gets (A − X Y) W S, Y gets Wᵀ.
    const product = block(w.panel, height, b);
    gemm.multiplyTransB(from(this.data, below * columns, height, columns), sw, product);
    if (used > 0) {
      gemm.multiplyTransB(block(w.y, rank, columns), sw, block(w.slice, rank, b));
      gemm.subtract(from(w.x, below * rank, height, rank), block(w.slice, rank, b), product);
    }
    kernels.copyBlock(w.panel.byteOffset, height, b, b, w.x.byteOffset + (below * rank + used) * kernels.bytesPerElement, rank);
    w.y.set(panel.data.subarray(0, b * columns), used * columns);
  }

  /** Drops the first `dead` rows and columns, closes the ranks in memory, and subtracts X·Y, strip by strip. */
  update(dead: number): void {
    const { rank, kernels, gemm, w, data, work, columns } = this;
    const [rows, width] = [this.rows - dead, columns - dead];
    kernels.copyBlock(w.y.byteOffset + dead * kernels.bytesPerElement, rank, width, columns, w.y.byteOffset, width);
    const y = block(w.y, rank, width);
    const strip = gemm.stripRows(width, kernels.bytesPerElement);
    for (let first = 0; first < rows; first += strip) {
      const count = Math.min(strip, rows - first);
      for (let i = first; i < first + count; i++) {
        const source = (dead + i) * columns + dead;
        if (data === work) work.copyWithin(i * width, source, source + width);
        else work.set(data.subarray(source, source + width), i * width);
      }
      gemm.subtract(from(w.x, (dead + first) * rank, count, rank), y, from(work, first * width, count, width));
    }
    this.data = work;
    this.rows = rows;
    this.columns = width;
  }

  /** Tᵀ·(reflectors as rows), T the triangular factor of the compact WY form. */
  private weigh(reflectors: Block): Block {
    const { b, gemm, w } = this;
    const gram = block(w.gram, b, b);
    gemm.multiplyTransB(reflectors, reflectors, gram);
    triangularFactor(w.gram, w.taus, b, w.triangle);
    const weighted = block(w.weighted, b, reflectors.columns);
    gemm.multiply(block(w.triangle, b, b), reflectors, weighted);
    return weighted;
  }
}

function block(data: Floats, rows: number, columns: number): Block {
  return { rows, columns, data };
}

function from(data: Floats, start: number, rows: number, columns: number): Block {
  return { rows, columns, data: data.subarray(start, start + rows * columns) };
}
