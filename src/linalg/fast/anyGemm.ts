import type { Gemm } from "./gemm";
import { OnnxGemm } from "./onnxGemm";
import { plainGemm } from "./plainGemm";

/** Products by ONNX Runtime, or in plain TypeScript where it cannot be used. @param threads of one product */
export function anyGemm(threads: number): Gemm {
  const created = OnnxGemm.create(threads);
  return "gemm" in created ? created.gemm : plainGemm;
}
