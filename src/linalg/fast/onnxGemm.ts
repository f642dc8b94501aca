/**
 * Products by ONNX Runtime: BLAS-3 speed on plain typed arrays, which may be views on WebAssembly memory (not on a
 * SharedArrayBuffer).
 */
import type { Block, Floats, Gemm } from "./gemm";
import { WITHHELD, gemmModel, type ElementType, type GemmNode } from "./onnxGraph";
import { loadOnnxRuntime, type NativeSession, type OnnxRuntime } from "./onnxRuntime";

/** Bytes of the output of one call: what is added to stays in the last cache. */
const STRIP_BYTES = 16 * 2 ** 20;

/**
 * Onnxruntime-node writes an output where it is told to and then returns a copy of it besides, zeroed first, which for
 * a large output takes longer than the product. It copies the outputs in turn, and throws at the first whose type
 * JavaScript lacks: with such an output ahead of Y nothing is copied. The throw costs 5 µs, as the copy of so many bytes.
 */
const WITHHOLD_BYTES = 64 * 2 ** 10;

/**
 * Floating-point operations from which a product is worth a second thread. Threads that do not spin take tens of
 * microseconds to wake: a product of this size takes 150 µs alone.
 */
const PARALLEL_OPERATIONS = 3e7;

type Operation = "multiply" | "multiplyTransB" | "subtract" | "addTransB" | "subtractTransB";
const NODES: Record<Operation, Omit<GemmNode, "type" | "withWithheld">> = {
  multiply: { transB: false, alpha: 1, withC: false },
  multiplyTransB: { transB: true, alpha: 1, withC: false },
  subtract: { transB: false, alpha: -1, withC: true },
  addTransB: { transB: true, alpha: 1, withC: true },
  subtractTransB: { transB: true, alpha: -1, withC: true },
};

export type GemmOrReason = { readonly gemm: OnnxGemm } | { readonly reason: string };

export class OnnxGemm implements Gemm {
  private readonly sessions = new Map<string, NativeSession>();
  /** Bytes from which an output is not copied besides: see `WITHHOLD_BYTES`; all are copied where that does not work. */
  private withholdFrom = Infinity;

  private constructor(private readonly runtime: OnnxRuntime, readonly threads: number) {}

  /**
   * Loads ONNX Runtime and tries on small matrices all that the kernel relies on: that outputs land in the arrays it
   * gives and that an update may work in place.
   * @param threads of one product; every session has a pool of its own, which does not spin
   * @returns the reason, one sentence, where ONNX Runtime cannot be used
   */
  static create(threads: number): GemmOrReason {
    const loaded = loadOnnxRuntime();
    if ("reason" in loaded) return loaded;
    const gemm = new OnnxGemm(loaded.runtime, threads);
    try {
      if (!gemm.passes("float32") || !gemm.passes("float64")) return { reason: `ONNX Runtime ${loaded.runtime.version} does not write products where it is told to.` };
      gemm.withholdFrom = gemm.canWithhold() ? WITHHOLD_BYTES : Infinity;
    } catch (error) {
      return { reason: `ONNX Runtime ${loaded.runtime.version} fails its test: ${(error instanceof Error ? error.message : String(error)).replace(/\.$/, "")}.` };
    }
    return { gemm };
  }

  get description(): string {
    return `ONNX Runtime ${this.runtime.version}, ${this.threads} thread${this.threads === 1 ? "" : "s"}`;
  }

  multiply(a: Block, b: Block, y: Block): void {
    this.inStrips("multiply", a, b, y);
  }

  multiplyTransB(a: Block, b: Block, y: Block): void {
    this.inStrips("multiplyTransB", a, b, y);
  }

  subtract(a: Block, b: Block, y: Block): void {
    this.inStrips("subtract", a, b, y);
  }

  addTransB(a: Block, b: Block, y: Block): void {
    this.inStrips("addTransB", a, b, y);
  }

  subtractTransB(a: Block, b: Block, y: Block): void {
    this.inStrips("subtractTransB", a, b, y);
  }

  stripRows(columns: number, bytesPerElement: number): number {
    return Math.max(1, Math.floor(STRIP_BYTES / (columns * bytesPerElement)));
  }

  private inStrips(operation: Operation, a: Block, b: Block, y: Block): void {
    const rows = this.stripRows(y.columns, y.data.BYTES_PER_ELEMENT);
    for (let i = 0; i < y.rows; i += rows) {
      const count = Math.min(rows, y.rows - i);
      this.run(operation, rowsOf(a, i, count), b, rowsOf(y, i, count));
    }
  }

  private run(operation: Operation, a: Block, b: Block, y: Block): void {
    const feeds: Record<string, InstanceType<OnnxRuntime["Tensor"]>> = { A: this.tensor(a), B: this.tensor(b) };
    const output = this.tensor(y);
    if (NODES[operation].withC) feeds["C"] = output;
    const operations = 2 * y.rows * y.columns * a.columns;
    const threads = operations < PARALLEL_OPERATIONS ? 1 : this.threads;
    const withWithheld = y.rows * y.columns * y.data.BYTES_PER_ELEMENT >= this.withholdFrom;
    const session = this.session(operation, { type: typeOf(y.data), withWithheld }, threads);
    if (!withWithheld) session.run(feeds, { Y: output }, {});
    else runWithheld(session, feeds, output);
  }

  private tensor({ rows, columns, data }: Block): InstanceType<OnnxRuntime["Tensor"]> {
    const size = rows * columns;
    const exact = data.length === size ? data : data.subarray(0, size);
    return exact instanceof Float32Array ? new this.runtime.Tensor("float32", exact, [rows, columns]) : new this.runtime.Tensor("float64", exact, [rows, columns]);
  }

  private session(operation: Operation, kind: Pick<GemmNode, "type" | "withWithheld">, threads: number): NativeSession {
    const key = `${operation} ${kind.type} ${kind.withWithheld} ${threads}`;
    let session = this.sessions.get(key);
    if (!session) {
      session = new this.runtime.Session();
      const model = gemmModel({ ...kind, ...NODES[operation] });
      session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        // The pools of several sessions would fight for the cores while they spin.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
      });
      this.sessions.set(key, session);
    }
    return session;
  }

  private canWithhold(): boolean {
    this.withholdFrom = 0;
    try {
      return this.passes("float32") && this.passes("float64");
    } catch {
      return false;
    }
  }

  private passes(type: ElementType): boolean {
    const of = (values: number[], rows: number): Block => ({ rows, columns: values.length / rows, data: type === "float32" ? Float32Array.from(values) : Float64Array.from(values) });
    const a = of([1, 2, 3, 4, 5, 6], 2);
    const b = of([1, 0, 2, -1, 3, 1], 3);
    const product = of([0, 0, 0, 0], 2);
    this.multiply(a, b, product);
    this.subtract(a, of([1, 0, 0, 1, 0, 0], 3), product);
    const gram = of([0, 0, 0, 0], 2);
    this.multiplyTransB(a, a, gram);
    return String([...product.data, ...gram.data]) === String([13, -1, 28, -4, 14, 32, 32, 77]);
  }
}

/** What onnxruntime-node says of an output whose type it cannot hand back, when all outputs are written. */
const NOT_HANDED_BACK = /^Tensor type \(\d+\) is not supported/;

/** Runs a session that has the output `withheld`. */
function runWithheld(session: NativeSession, feeds: Parameters<NativeSession["run"]>[0], output: InstanceType<OnnxRuntime["Tensor"]>): void {
  // Gathering a stack takes longer than the throw.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    session.run(feeds, { [WITHHELD]: null, Y: output }, {});
  } catch (error) {
    if (!(error instanceof Error && NOT_HANDED_BACK.test(error.message))) throw error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function rowsOf(block: Block, first: number, count: number): Block {
  if (first === 0 && count === block.rows) return block;
  return { rows: count, columns: block.columns, data: block.data.subarray(first * block.columns, (first + count) * block.columns) };
}

function typeOf(data: Floats): ElementType {
  return data instanceof Float32Array ? "float32" : "float64";
}
