import { reflect } from "./householder";
import { updateAndProject } from "./rowPasses";
import type { TallView } from "./tallView";

/** Bytes of a block of rows: half of a usual second-level cache, as each block is passed once for every column. */
const BLOCK_BYTES = 512 * 1024;
const FEWEST_BLOCK_ROWS = 16;

/**
 * The n × n triangular factor R of A = QR, with Q never formed. Rows come in blocks, each folded into R by reflectors
 * on [R; block] that leave R's zeros alone (sequential TSQR: Demmel, Grigori, Hoemmen & Langou, Communication-optimal
 * parallel and sequential QR and LU factorizations, 2012; LAPACK's dtpqrt). Memory is R and one block, whatever the
 * number of rows; Householder throughout, so nothing is lost of small singular values as in a Gram matrix.
 *
 * About 2mn² operations.
 * @returns R, row-major with zeros below its diagonal
 */
export function triangularFactor(view: TallView): Float64Array {
  const { rows, columns } = view;
  const r = new Float64Array(columns * columns);
  const blockRows = Math.min(rows, Math.max(FEWEST_BLOCK_ROWS, Math.floor(BLOCK_BYTES / (8 * columns))));
  const block = new Float64Array(blockRows * columns);
  const work = newWork(blockRows, columns);
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first);
    view.copyRows(first, count, block);
    fold(r, block, count, columns, work);
  }
  return r;
}

interface Work {
  /** Reflector of the last and of this column: 1 above (in R's row), the rest in the block's rows. */
  before: Float64Array;
  now: Float64Array;
  /** What the last reflector still has to take from the block, and the row that this one projects on. */
  pending: Float64Array;
  projection: Float64Array;
  readonly vector: Float64Array;
}

function newWork(blockRows: number, columns: number): Work {
  return {
    before: new Float64Array(blockRows), now: new Float64Array(blockRows),
    pending: new Float64Array(columns), projection: new Float64Array(columns), vector: new Float64Array(blockRows + 1),
  };
}

/** R ← the triangular factor of [R; block]; the block is overwritten. */
function fold(r: Float64Array, block: Float64Array, count: number, columns: number, work: Work): void {
  work.before.fill(0);
  work.pending.fill(0);
  const { vector } = work;
  for (let j = 0; j < columns; j++) {
    const { before, now, pending, projection } = work;
    vector[0] = r[j * columns + j]!;
    for (let i = 0; i < count; i++) vector[i + 1] = block[i * columns + j]! - before[i]! * pending[j]!;
    const { tau, beta } = reflect(vector, 0, count + 1);
    r[j * columns + j] = beta;
    for (let i = 0; i < count; i++) now[i] = vector[i + 1]!;

    projection.set(r.subarray(j * columns, (j + 1) * columns));
    updateAndProject({ a: block, width: columns, firstRow: 0, endRow: count, firstColumn: j + 1 }, before, pending, now, projection);
    for (let l = j + 1; l < columns; l++) {
      projection[l]! *= tau;
      r[j * columns + l]! -= projection[l]!;
    }
    work.before = now;
    work.now = before;
    work.pending = projection;
    work.projection = pending;
  }
}
