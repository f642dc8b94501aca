/**
 * The first stage: a full matrix → an upper band by blocked Householder reflectors, nearly all of it matrix products.
 * Großer & Lang, Efficient parallel reduction to bidiagonal form (1999); Haidar, Kurzak, Luszczek (2013). Updates of the
 * trailing matrix are deferred over several panels as in LAPACK's xLABRD: within a block A − X·Y stands for it.
 */
import type { ElementType } from "../matrix";
import { BandStorage, bandLength, bandwidth } from "./band";
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
  readonly factor: Floats;
  readonly taus: Floats;
  readonly gram: Floats;
  readonly triangle: Floats;
  readonly coefficients: Floats;
  readonly prefix: Floats;
  readonly slice: Floats;
  readonly scratch: Floats;
}

export class BandReduction {
  private readonly b: number;
  private readonly rank: number;
  private readonly kernels: Kernels;
  private readonly w: Workspace;
  private data: Floats;
  readonly band: BandStorage;
  /** Shape of the trailing matrix; it lies contiguous at the start of `data`: the matrix itself at first, then the work storage. */
  private rows: number;
  private columns: number;

  /**
   * @param matrix rows and columns are multiples of the bandwidth
   * @param negligible squared norm that counts as zero
   * @param work as long as the matrix, or its own storage, which is overwritten then
   */
  constructor(matrix: Block, private readonly work: Floats, private readonly gemm: Gemm, module: KernelModule, private readonly negligible: number) {
    const type: ElementType = matrix.data instanceof Float32Array ? "float32" : "float64";
    this.b = bandwidth(type);
    this.kernels = module.of(type);
    this.data = matrix.data;
    this.rows = matrix.rows;
    this.columns = matrix.columns;
    const { b, rows, columns } = this;
    const order = Math.min(rows, columns);
    this.rank = updateRank(order, b);
    const long = Math.max(rows, columns);
    const square = b * b;
    const [x, y, panel, reflectors, weighted, factor, taus, gram, triangle, coefficients, prefix, slice, scratch, band] = module.allocate(
      type, rows * this.rank, this.rank * columns, long * b, long * b, long * b, square, b, square, square, b * this.rank, b * this.rank, this.rank * b, b, bandLength(order, b),
    ) as [Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats, Floats];
    this.w = { x, y, panel, reflectors, weighted, factor, taus, gram, triangle, coefficients, prefix, slice, scratch };
    this.band = new BandStorage(order, b, band);
  }

  get scratch(): Floats {
    return this.w.scratch;
  }

  /** Fills the band. A wide matrix is reduced to a lower band, whose transpose is stored. */
  run(): void {
    const { b, rank } = this;
    const { order } = this.band;
    const tall = this.rows >= this.columns;
    for (let k = 0; k < order; ) {
      this.w.x.fill(0, 0, this.rows * rank);
      let [dead, used] = [0, 0];
      for (; used < rank && k < order; dead += b, k += b) {
        if (tall) this.reduceColumns(dead, dead, used);
        else this.reduceRows(dead, dead, used);
        this.band.setDiagonal(k, this.w.factor);
        used += b;
        if (tall ? dead + b < this.columns : dead + b < this.rows) {
          if (tall) this.reduceRows(dead, dead + b, used);
          else this.reduceColumns(dead + b, dead, used);
          // The last block of a barely tall matrix has no neighbour in the band.
          if (k + b < order) this.band.setBeside(k, this.w.factor);
        }
        used += b;
      }
      if (k < order) this.update(dead);
    }
  }

  /** Householder QR of the columns c … c + b from row r down; rows below r − 1 of the trailing matrix get Hᵀ from the left. */
  private reduceColumns(r: number, c: number, used: number): void {
    const { b, rank, kernels, gemm, w, rows, columns } = this;
    const height = rows - r;
    this.gatherColumns(r, c);
    if (used > 0) {
      for (let i = 0; i < rank; i++) for (let j = 0; j < b; j++) w.slice[i * b + j] = w.y[i * columns + c + j]!;
      gemm.subtract(from(w.x, r * rank, height, rank), block(w.slice, rank, b), block(w.panel, height, b));
    }
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

  /** Householder LQ of the rows r … r + b from column c on; the rows below get H from the right. */
  private reduceRows(r: number, c: number, used: number): void {
    const { b, rank, kernels, gemm, w, columns } = this;
    const panel = block(w.reflectors, b, columns);
    panel.data.set(this.data.subarray(r * columns, (r + b) * columns));
    if (used > 0) gemm.subtract(from(w.x, r * rank, b, rank), block(w.y, rank, columns), panel);
    for (let i = 0; i < b; i++) panel.data.fill(0, i * columns, i * columns + c);
    kernels.factorPanel(w.reflectors.byteOffset, b, columns, c, w.factor.byteOffset, w.taus.byteOffset, this.negligible);
    const sw = this.weigh(panel);
    // X gets (A − X Y) W S, Y gets Wᵀ.
    const below = r + b;
    const height = this.rows - below;
    if (height > 0) {
      const product = block(w.panel, height, b);
      gemm.multiplyTransB(from(this.data, below * columns, height, columns), sw, product);
      if (used > 0) {
        gemm.multiplyTransB(block(w.y, rank, columns), sw, block(w.slice, rank, b));
        gemm.subtract(from(w.x, below * rank, height, rank), block(w.slice, rank, b), product);
      }
      kernels.copyBlock(w.panel.byteOffset, height, b, b, w.x.byteOffset + (below * rank + used) * kernels.bytesPerElement, rank);
    }
    w.y.set(panel.data.subarray(0, b * columns), used * columns);
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

  private gatherColumns(r: number, c: number): void {
    const { b, rows, columns, data } = this;
    const { panel } = this.w;
    let to = 0;
    for (let i = r; i < rows; i++) {
      const row = i * columns + c;
      for (let j = row; j < row + b; j++) panel[to++] = data[j]!;
    }
  }

  /** Drops the first `dead` rows and columns, closes the ranks in memory, and subtracts X·Y, strip by strip. */
  private update(dead: number): void {
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
}

function block(data: Floats, rows: number, columns: number): Block {
  return { rows, columns, data };
}

function from(data: Floats, start: number, rows: number, columns: number): Block {
  return { rows, columns, data: data.subarray(start, start + rows * columns) };
}
