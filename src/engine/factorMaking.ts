import type { PlainFault } from "../shared/fault";
import { factorsFor, type LayerWork } from "../factorize/apply";
import type { Factor } from "../factorize/scheme";
import { anyGemm } from "../linalg/fast/anyGemm";
import type { Gemm } from "../linalg/fast/gemm";
import { FastSvd } from "../linalg/fast/truncatedSvd";
import { openModel } from "../models/formats";
import type { Model, OpenOptions } from "../models/model";
import { applyFault } from "./apply";

/** Apply process → one of its factor processes: the factors of one layer, please. */
export interface FactorRequest {
  readonly path: string;
  readonly options: OpenOptions;
  readonly work: LayerWork;
  /** Threads of one matrix product. */
  readonly threads: number;
}

/** Factor process → apply process. All but a notice answer the request. */
export type FactorMessage =
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "factors"; readonly factors: readonly SentFactor[] }
  | { readonly type: "fault"; readonly fault: PlainFault };

/** Values travel in single precision unless the weight has more: half the bytes, and none that would be written is lost. */
type SentFactor = Omit<Factor, "values"> & { readonly values: Float32Array | Float64Array };

export function received(factors: readonly SentFactor[]): Factor[] {
  return factors.map((factor) => ({ ...factor, values: factor.values instanceof Float64Array ? factor.values : new Float64Array(factor.values) }));
}

/** Answers requests for factors that come over IPC, one at a time, all for one model. */
export function serveFactors(channel: NodeJS.Process): void {
  const send = (message: FactorMessage): void => { channel.send?.(message); };
  const svds = new Map<number, FastSvd>(), gemms = new Map<number, Gemm>();
  let model: Promise<Model> | null = null;
  const answer = async ({ path, options, work, threads }: FactorRequest): Promise<void> => {
    const svd = svds.get(threads) ?? new FastSvd(threads, (text) => send({ type: "notice", text }));
    svds.set(threads, svd);
    const gemm = (): Gemm => {
      const known = gemms.get(threads) ?? anyGemm(threads);
      gemms.set(threads, known);
      return known;
    };
    const factors = await factorsFor(work, await (model ??= openModel(path, options)), svd, gemm);
    const isDouble = work.target.dtype === "float64";
    send({ type: "factors", factors: factors.map((factor) => ({ ...factor, values: isDouble ? factor.values : new Float32Array(factor.values) })) });
  };
  channel.on("message", (request: FactorRequest) => void answer(request).catch((error: unknown) => send({ type: "fault", fault: applyFault(error) })));
}
