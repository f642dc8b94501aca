/** Dense products, row-major and contiguous: what the algorithms of this folder are made of. */

export type Floats = Float32Array | Float64Array;

/** A row-major matrix as an operand; `data` may be longer than rows × columns. */
export interface Block {
  readonly rows: number;
  readonly columns: number;
  readonly data: Floats;
}

/** All operands of one call have the same type. Y may not overlap A or B. */
export interface Gemm {
  /** One sentence on what multiplies. */
  readonly description: string;
  /** Y ← A·B */
  multiply(a: Block, b: Block, y: Block): void;
  /** Y ← A·Bᵀ */
  multiplyTransB(a: Block, b: Block, y: Block): void;
  /** Y ← Y − A·B */
  subtract(a: Block, b: Block, y: Block): void;
  /** Y ← Y + A·Bᵀ */
  addTransB(a: Block, b: Block, y: Block): void;
  /** Y ← Y − A·Bᵀ */
  subtractTransB(a: Block, b: Block, y: Block): void;
  /** Rows of an output of that width that one call writes: what to prepare at a time so that it stays in cache. */
  stripRows(columns: number, bytesPerElement: number): number;
}
