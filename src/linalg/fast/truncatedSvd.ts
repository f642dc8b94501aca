import type { Matrix } from "../matrix";
import { exactSvd, type Triplets, type TruncatedSvd } from "../svd";
import { bandMemory, bandTriplets, type BandMemory } from "./bandTriplets";
import type { Block, Gemm } from "./gemm";
import { gramTriplets } from "./gramTriplets";
import { KernelModule } from "./kernels";
import { OnnxGemm } from "./onnxGemm";
import { allTriplets } from "./svd";
import { leading } from "./triplets";
import { transposed } from "../transposed";

/** Smaller matrices take less time on this thread alone than calls of native code. */
const FAST_FROM = 96;

/** From this shorter side on, float32 matrices have their triplets in float32: below, float64 takes a tenth of a second at most. */
const SINGLE_FROM = 512;

interface Kernel {
  readonly gemm: Gemm;
  readonly module: KernelModule;
  readonly memory: BandMemory;
}

/**
 * Singular triplets by products of ONNX Runtime: of large float32 matrices to the rounding of float32 (what is left of A is
 * within 1e-6·‖A‖ of the least possible, vectors are orthonormal to 1e-5), of others exact to about 1e-14·σ₁; by `exactSvd` where that is not there or not worth
 * it. The same matrix gives the same digits every time on one machine.
 */
export class FastSvd implements TruncatedSvd {
  private kernel: Kernel | null | undefined;

  /**
   * @param threads of one product
   * @param tell hears once why vectors take longer here than elsewhere
   */
  constructor(private readonly threads: number, private readonly tell: (sentence: string) => void) {}

  async truncate(matrix: Matrix, rank: number): Promise<Triplets> {
    const { rows, columns, data } = matrix;
    if (Math.min(rows, columns) < FAST_FROM || data.every((value) => value === 0)) return exactSvd.truncate(matrix, rank);
    const kernel = (this.kernel ??= this.load());
    if (kernel === null) return exactSvd.truncate(matrix, rank);
    const found = rank > 0 ? leadingTriplets({ rows, columns, data }, rank, kernel) : null;
    if (found !== null) return found;
    const { values, left, right } = leading(allTriplets({ rows, columns, data }, kernel.gemm, kernel.module), rank);
    return { rank, values, left: transposed(left, rank, rows), right };
  }

  private load(): Kernel | null {
    const loaded = OnnxGemm.create(this.threads);
    if ("gemm" in loaded) {
      const module = new KernelModule();
      return { gemm: loaded.gemm, module, memory: bandMemory(module) };
    }
    this.tell(`Singular vectors are computed without ONNX Runtime, which takes longer: ${loaded.reason}`);
    return null;
  }
}

function leadingTriplets({ rows, columns, data }: Block, rank: number, { gemm, module, memory }: Kernel): Triplets | null {
  const single = data instanceof Float32Array && Math.min(rows, columns) >= SINGLE_FROM ? bandTriplets({ rows, columns, data }, rank, gemm, memory) : null;
  return single ?? gramTriplets({ rows, columns, data }, rank, gemm, module);
}
