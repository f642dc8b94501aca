import type { ElementType, Matrix } from "./matrix";

/** A matrix too large to hold more than once, or at all: its rows are read when they are needed, and may be read again. */
export interface RowSource {
  readonly rows: number;
  readonly columns: number;
  readonly type: ElementType;
  /** Rows first … first + count − 1, which the caller may overwrite. */
  read(first: number, count: number): Promise<Matrix>;
}

/** Bytes of values of one block: large enough for fast products, small beside what else a large matrix takes. */
const BLOCK_BYTES = 16 * 2 ** 20;

/** All rows in order, in blocks. */
export async function* blocksOf({ rows, columns, type, read }: RowSource): AsyncGenerator<Matrix> {
  const most = Math.max(1, Math.floor(BLOCK_BYTES / (columns * (type === "float32" ? 4 : 8))));
  for (let first = 0; first < rows; first += most) yield await read(first, Math.min(most, rows - first));
}

/**
 * The whole matrix in memory, without a second copy of more than a block.
 * @param multiple rows and columns of zeros are added up to multiples of it
 */
export async function wholeOf(source: RowSource, type: ElementType, multiple = 1): Promise<Matrix> {
  const [rows, columns] = [source.rows, source.columns].map((size) => Math.ceil(size / multiple) * multiple) as [number, number];
  const data = type === "float32" ? new Float32Array(rows * columns) : new Float64Array(rows * columns);
  let at = 0;
  for await (const block of blocksOf(source)) {
    for (let i = 0; i < block.rows; i++, at += columns) data.set(block.data.subarray(i * block.columns, (i + 1) * block.columns), at);
  }
  return { rows, columns, data };
}
