import type { BaseModule } from "./base/modelModules";
import type { AdaptedModule } from "./adapted";

/**
 * Trainable parameters of LoRA's factors for one module, A (r × in·k…) and B (out × r):
 * r · (in/groups · k… + out) (Hu et al., arXiv 2106.09685, §4.1; for convolutions as PEFT lays them out).
 */
export function factorParameters({ inFeatures, outFeatures, kernel, groups }: BaseModule, rank: number): number {
  return rank * ((inFeatures / groups) * kernel.reduce((all, size) => all * size, 1) + outFeatures);
}

/**
 * Trainable parameters of LoRA over all modules that are adapted.
 * @param dora with a magnitude for each output (Liu et al., arXiv 2402.09353, eq. 5)
 */
export function adapterParameters(modules: readonly AdaptedModule[], dora: boolean): number {
  return modules.reduce((sum, { module, rank }) => sum + factorParameters(module, rank) + (dora ? module.outFeatures : 0), 0);
}

/** The largest rank that a module's update can have: the shorter side of its matrix. */
export function fullRank({ inFeatures, outFeatures, kernel, groups }: BaseModule): number {
  return Math.min((inFeatures / groups) * kernel.reduce((all, size) => all * size, 1), outFeatures);
}
