/** The WebAssembly kernels (sources in wasm/) and the memory that they share with ONNX Runtime. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Floats } from "./gemm";

/** What of the WebAssembly API is used here; the compiler's libraries for Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** Addresses are bytes in the module's memory; strides are elements. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void };
  factorPanel32: FactorPanel;
  factorPanel64: FactorPanel;
  chaseBand32: ChaseBand;
  chaseBand64: ChaseBand;
  chaseTile: ChaseTile;
  transpose32: MoveBlock;
  transpose64: MoveBlock;
  copyBlock32: MoveBlock;
  copyBlock64: MoveBlock;
  transformQd: TransformQd;
  transformQdTwice: TransformQd;
  twistedVectors: TwistedVectors;
  choleskyBlock: CholeskyBlock;
  bidiagonalize: Bidiagonalize;
  symmetricTimes: SymmetricTimes;
  pendingColumn: PendingColumn;
  subtractPending: SubtractPending;
}
type FactorPanel = (vectors: number, count: number, length: number, offset: number, factor: number, taus: number, negligible: number) => void;
type ChaseBand = (band: number, order: number, scratch: number, negligible: number, kept: number) => void;
type ChaseTile = (kept: number, blocks: number, sweep: number, step: number, tile: number, scratch: number) => void;
type TwistedVectors = (q: number, e: number, products: number, n: number, values: number, count: number, target: number, stride: number, scratch: number, residuals: number) => void;
type TransformQd = (q: number, e: number, nextQ: number, nextE: number, last: number, shift: number, trail: number) => void;
type CholeskyBlock = (a: number, n: number, smallest: number, inverse: number) => void;
type Bidiagonalize = (a: number, n: number, stride: number, d: number, e: number, v: number, w: number) => void;
type SymmetricTimes = (a: number, stride: number, first: number, n: number, x: number, w: number) => void;
type PendingColumn = (a: number, stride: number, j: number, n: number, left: number, right: number, half: number, count: number, target: number) => void;
type SubtractPending = (w: number, v: number, first: number, n: number, left: number, right: number, half: number, count: number, sums: number) => void;
type MoveBlock = (source: number, rows: number, columns: number, sourceStride: number, target: number, targetStride: number) => void;

/** The kernels of one element type. */
export interface Kernels {
  readonly bytesPerElement: 4 | 8;
  readonly factorPanel: FactorPanel;
  readonly chaseBand: ChaseBand;
  readonly transpose: MoveBlock;
  readonly copyBlock: MoveBlock;
}

const PAGE = 65_536;
/** Cache lines; ONNX Runtime's kernels like aligned operands too. */
const ALIGNMENT = 64;
/** The first bytes belong to the compiler's static data. */
const FIRST_ADDRESS = 4096;

export class KernelModule {
  private next = FIRST_ADDRESS;
  private readonly exports: Exports;
  readonly float32: Kernels;
  readonly float64: Kernels;
  readonly transformQd: TransformQd;
  readonly transformQdTwice: TransformQd;
  readonly chaseTile: ChaseTile;
  readonly twistedVectors: TwistedVectors;
  readonly choleskyBlock: CholeskyBlock;
  readonly bidiagonalize: Bidiagonalize;
  readonly symmetricTimes: SymmetricTimes;
  readonly pendingColumn: PendingColumn;
  readonly subtractPending: SubtractPending;

  constructor() {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(readFileSync(moduleFile()))), { env: { abort: aborted } });
    this.exports = instance.exports as Exports;
    this.transformQd = this.exports.transformQd;
    this.transformQdTwice = this.exports.transformQdTwice;
    this.chaseTile = this.exports.chaseTile;
    this.twistedVectors = this.exports.twistedVectors;
    this.choleskyBlock = this.exports.choleskyBlock;
    this.bidiagonalize = this.exports.bidiagonalize;
    this.symmetricTimes = this.exports.symmetricTimes;
    this.pendingColumn = this.exports.pendingColumn;
    this.subtractPending = this.exports.subtractPending;
    const { factorPanel32, factorPanel64, chaseBand32, chaseBand64, transpose32, transpose64, copyBlock32, copyBlock64 } = this.exports;
    this.float32 = { bytesPerElement: 4, factorPanel: factorPanel32, chaseBand: chaseBand32, transpose: transpose32, copyBlock: copyBlock32 };
    this.float64 = { bytesPerElement: 8, factorPanel: factorPanel64, chaseBand: chaseBand64, transpose: transpose64, copyBlock: copyBlock64 };
  }

  /**
   * Zeroed arrays of the given lengths, side by side in the module's memory. They replace all arrays handed out before:
   * memory is laid out once for each matrix.
   */
  allocate(type: "float32" | "float64", ...lengths: readonly number[]): Floats[] {
    const bytes = type === "float32" ? 4 : 8;
    this.next = FIRST_ADDRESS;
    const addresses = lengths.map((length) => {
      const address = this.next;
      this.next = Math.ceil((address + length * bytes) / ALIGNMENT) * ALIGNMENT;
      return address;
    });
    const { memory } = this.exports;
    const missing = this.next - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return lengths.map((length, k) => {
      const address = addresses[k]!;
      return type === "float32" ? new Float32Array(memory.buffer, address, length).fill(0) : new Float64Array(memory.buffer, address, length).fill(0);
    });
  }

  of(type: "float32" | "float64"): Kernels {
    return type === "float32" ? this.float32 : this.float64;
  }
}

/** Beside the bundle in dist/, or where scripts/wasm.mjs puts it for programs that run from sources. */
function moduleFile(): string {
  const beside = join(__dirname, "kernels.wasm");
  return existsSync(beside) ? beside : join(__dirname, "..", "..", "..", ".wasm", "kernels.wasm");
}

function aborted(): never {
  throw new Error("A WebAssembly kernel stopped.");
}
