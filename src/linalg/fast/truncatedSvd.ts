import type { Matrix } from "../matrix";
import { exactSvd, type Triplets, type TruncatedSvd } from "../svd";
import type { Gemm } from "./gemm";
import { gramTriplets } from "./gramTriplets";
import { KernelModule } from "./kernels";
import { OnnxGemm } from "./onnxGemm";
import { allTriplets } from "./svd";
import { leading } from "./triplets";
import { transposed } from "../transposed";

/** Smaller matrices take less time on this thread alone than calls of native code. */
const FAST_FROM = 96;

/**
 * Singular triplets by products of ONNX Runtime, exact to about 1e-14·σ₁; by `exactSvd` where that is not there or not worth
 * it. The same matrix gives the same digits every time on one machine.
 */
export class FastSvd implements TruncatedSvd {
  private kernel: { readonly gemm: Gemm; readonly module: KernelModule } | null | undefined;

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
    const found = rank > 0 ? gramTriplets({ rows, columns, data }, rank, kernel.gemm, kernel.module) : null;
    if (found !== null) return found;
    const { values, left, right } = leading(allTriplets({ rows, columns, data }, kernel.gemm, kernel.module), rank);
    return { rank, values, left: transposed(left, rank, rows), right };
  }

  private load(): { readonly gemm: Gemm; readonly module: KernelModule } | null {
    const loaded = OnnxGemm.create(this.threads);
    if ("gemm" in loaded) return { gemm: loaded.gemm, module: new KernelModule() };
    this.tell(`Singular vectors are computed without ONNX Runtime, which takes longer: ${loaded.reason}`);
    return null;
  }
}
