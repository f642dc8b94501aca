import type { BaseModule, BaseParameter, ModelModules } from "../base/modelModules";
import type { CompiledRanks } from "../matching/ranks";
import type { Matched } from "../matching/targets";
import type { PlanRow } from "../../shared/plannerPage";
import { ADAPTER_BYTES, STATE_BYTES, type AdaptedMatrix, type PlanContext } from "./method";
import { METHODS } from "./methods";

/** Where a model's hidden size is not known. */
const USUAL_PROJECTION_RANK = 128;
/** APOLLO's rank, a quarter of the hidden size; GaLore's own are a half to a quarter of it. */
const HIDDEN_TO_PROJECTION = 4;

/** Rank of projected gradients that a config does not say. */
export function usualProjectionRank(hiddenSize: number | null): number {
  return hiddenSize === null ? USUAL_PROJECTION_RANK : Math.max(1, Math.floor(hiddenSize / HIDDEN_TO_PROJECTION));
}

/** The matrices that a selection adapts, with their ranks. Modules that no adapter fits (norms, recurrent layers) are left out. */
export function adaptedMatrices({ modules, expertParameters }: Pick<Matched, "modules" | "expertParameters">, ranks: Pick<CompiledRanks, "of">): AdaptedMatrix[] {
  return [
    ...modules.filter(isAdaptable).map((module) => ofModule(module, ranks.of(module.name).rank)),
    ...expertParameters.map((parameter) => ofExperts(parameter, ranks.of(parameter.name).rank)),
  ];
}

/** Whether PEFT has an adapter's layer for it. */
export function isAdaptable({ kind }: BaseModule): boolean {
  return kind === "linear" || kind === "embedding" || kind === "conv";
}

/** PEFT, tuners/lora/layer.py: the first factor of a convolution takes all its inputs at every position, the second is grouped. */
function ofModule({ name, kind, inFeatures, outFeatures, kernel, groups, parameters }: BaseModule, rank: number): AdaptedMatrix {
  const positions = kind === "conv" ? kernel.reduce((all, size) => all * size, 1) : 1;
  return { name, copies: 1, rank, inputs: inFeatures * positions, outputs: outFeatures / groups, allOutputs: outFeatures, kernel, weights: parameters };
}

function ofExperts({ name, experts, inFeatures, outFeatures, parameters }: BaseParameter, rank: number): AdaptedMatrix {
  return { name, copies: experts, rank, inputs: inFeatures, outputs: outFeatures, allOutputs: outFeatures, kernel: [], weights: parameters };
}

/** Every method on these matrices, in the order of METHODS. */
export function planRows(model: Pick<ModelModules, "parameters">, matrices: readonly AdaptedMatrix[], projectionRank: number): PlanRow[] {
  const context: PlanContext = { matrices, parameters: model.parameters, projectionRank };
  return METHODS.map(({ id, label, group, formula, source, url, estimated, note, ...count }) => {
    const trainable = count.trainable(context);
    const all = group === "adapter" ? model.parameters + trainable : model.parameters;
    return {
      id, label, group, formula, source, url, estimated, note, trainable,
      share: all === 0 ? 0 : trainable / all,
      savedBytes: count.saved?.(context) ?? ADAPTER_BYTES * trainable,
      optimizerBytes: STATE_BYTES * (count.states?.(context) ?? 2 * trainable),
    };
  });
}
