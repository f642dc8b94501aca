import { outputsFirst, whitened } from "../calibrate/whitening";
import { sampled } from "../factorize/latency";
import { reconstructed } from "../factorize/reconstruct";
import { parametersOf, type Scheme, type SchemeId, type SchemeWish } from "../factorize/scheme";
import { schemesFor } from "../factorize/schemes";
import type { MeasuredRung } from "../factorize/sensitivity";
import { product, type Target } from "../factorize/target";
import type { Gemm } from "../linalg/fast/gemm";
import type { Matrix } from "../linalg/matrix";
import { sumOfSquares } from "../linalg/sumOfSquares";
import type { TruncatedSvd } from "../linalg/svd";
import type { Values } from "../models/model";
import type { CalibratedTarget } from "./calibrate";

/** Shares of the full ranks that ranks to measure at are chosen among. */
const SHARES = Array.from({ length: 40 }, (_, index) => (index + 1) / 40);

/**
 * What factors that do not follow data lose of a layer's outputs on it, at some ranks that make it smaller: so that all schemes
 * compare. Not of cp, whose fits take minutes.
 * @param values of the weight @param whitenings of the layer's groups
 */
export async function otherErrors({ target, scheme: own, inputs }: CalibratedTarget, wish: SchemeWish, values: Values, whitenings: readonly Float64Array[], gemm: Gemm, svd: TruncatedSvd): Promise<Map<SchemeId, MeasuredRung[]>> {
  const energies = (of: Values): [number, number] => {
    const matrices = own.unfoldings(target, of)[0]!;
    const outputs = matrices.map((matrix, group) => outputEnergy(matrix, group));
    return [sumOfSquares(of), outputs.reduce((sum, energy) => sum + energy, 0)];
  };
  const outputEnergy = (matrix: Matrix, group: number): number => sumOfSquares(whitened(outputsFirst(matrix, inputs.side), whitenings[group]!, gemm).data);
  const [energy, energyOfOutputs] = energies(values);
  const found = new Map<SchemeId, MeasuredRung[]>();
  for (const scheme of schemesFor(target, wish)) {
    if (scheme.inputs !== undefined || scheme.fit !== undefined) continue;
    const rungs: MeasuredRung[] = [];
    for (const { ranks } of sampled(ranksOf(scheme, target))) {
      const near = reconstructed(target, await scheme.factor(target, values, ranks, svd));
      const [lost, lostOfOutputs] = energies(Float64Array.from(values, (value, at) => value - near[at]!));
      rungs.push({ error2: lost / energy, outputError2: lostOfOutputs / energyOfOutputs });
    }
    if (rungs.length > 0) found.set(scheme.id, rungs);
  }
  return found;
}

/** Ranks in proportion to the full ones, smallest first, that make the layer smaller. */
function ranksOf(scheme: Scheme, target: Target): { readonly ranks: readonly number[]; readonly parameters: number }[] {
  const full = scheme.fullRanks(target);
  const all = new Map(SHARES.map((share) => full.map((rank) => Math.max(1, Math.round(share * rank)))).map((ranks) => [String(ranks), ranks]));
  return [...all.values()].map((ranks) => ({ ranks, parameters: parametersOf(scheme.steps(target, ranks)) })).filter(({ parameters }) => parameters < product(target.shape));
}
