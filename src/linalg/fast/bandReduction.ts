/**
 * The first stage: a full matrix → an upper band by blocked Householder reflectors, nearly all of it matrix products.
 * Großer & Lang, Efficient parallel reduction to bidiagonal form (1999); Haidar, Kurzak, Luszczek (2013).
 */
import type { ElementType } from "../matrix";
import { BandStorage, bandLength, bandwidth } from "./band";
import type { Block, Floats, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { ReflectedMatrix } from "./reflectedMatrix";

/**
 * Hears of each panel of the side that the band's columns belong to (that of the rows for a wide matrix): b reflectors as
 * rows of any length, of which the entries from `offset` on are those from coordinate `first` on, and their τ.
 */
export type PanelListener = (first: number, reflectors: Block, offset: number, taus: Floats) => void;

export class BandReduction {
  private readonly matrix: ReflectedMatrix;
  readonly band: BandStorage;
  /** Room for one reflector of the second stage. */
  readonly scratch: Floats;

  /**
   * @param matrix rows and columns are multiples of the bandwidth
   * @param negligible squared norm that counts as zero
   * @param work as long as the matrix, or its own storage, which is overwritten then
   */
  constructor(matrix: Block, work: Floats, gemm: Gemm, module: KernelModule, negligible: number, private readonly onPanel?: PanelListener) {
    const type: ElementType = matrix.data instanceof Float32Array ? "float32" : "float64";
    const b = bandwidth(type);
    const order = Math.min(matrix.rows, matrix.columns);
    this.matrix = new ReflectedMatrix(matrix, b, work, gemm, module, negligible, b, bandLength(order, b));
    const [scratch, band] = this.matrix.extra as [Floats, Floats];
    this.scratch = scratch;
    this.band = new BandStorage(order, b, band);
  }

  /** Fills the band. A wide matrix is reduced to a lower band, whose transpose is stored. */
  run(): void {
    const { matrix, band } = this;
    const { b, rank } = matrix;
    const { order } = band;
    const isTall = matrix.rows >= matrix.columns;
    for (let k = 0; k < order; ) {
      matrix.startBlock();
      let [dead, used] = [0, 0];
      for (; used < rank && k < order; dead += b, k += b) {
        if (isTall) matrix.reduceColumns(dead, dead, used);
        else matrix.reduceRows(matrix.loadRows(dead, used), dead, dead, used);
        band.setDiagonal(k, matrix.w.factor);
        used += b;
        if (dead + b < (isTall ? matrix.columns : matrix.rows)) {
          if (isTall) matrix.reduceRows(matrix.loadRows(dead, used), dead, dead + b, used);
          else matrix.reduceColumns(dead + b, dead, used);
          const { reflectors, taus } = matrix.w;
          const columns = isTall ? matrix.columns : matrix.rows - dead - b;
          this.onPanel?.(k + b, { rows: b, columns, data: reflectors }, isTall ? dead + b : 0, taus);
          // The last block of a barely tall matrix has no neighbour in the band.
          if (k + b < order) band.setBeside(k, matrix.w.factor);
        }
        used += b;
      }
      if (k < order) matrix.update(dead);
    }
  }
}
