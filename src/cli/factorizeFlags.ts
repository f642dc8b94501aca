import picomatch from "picomatch";
import type { CandidateOptions } from "../factorize/candidates";
import type { AllocationId } from "../factorize/propose";
import { parseRankRule } from "../factorize/rankRule";
import type { SchemeWish } from "../factorize/scheme";
import type { Output, Source } from "../factorize/source";
import type { Model, OpenOptions } from "../models/model";
import { Fault } from "../shared/fault";
import { parseBudget } from "./budgetFlag";

/** A way to share a budget that runs the model. */
export const SENSITIVITY = "sensitivity";

/** Options of `ranklens factorize`, as commander parses them. */
export interface FactorizeFlags {
  readonly out?: string;
  readonly scheme: SchemeWish;
  readonly ranks?: string;
  readonly budget?: string;
  readonly allocate: AllocationId | typeof SENSITIVITY;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly as: Output;
  /** Data that ranks and factors follow. */
  readonly calibration?: string;
  /** true: seeded inputs; text: a data file. */
  readonly verify?: true | string;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly threads?: number;
  readonly cache: boolean;
  readonly allowExternalData: boolean;
}

/** A model that is open, and what is to become of it. */
export interface FactorizeRequest {
  readonly model: Model;
  readonly source: Source;
  readonly options: OpenOptions;
  readonly flags: FactorizeFlags;
}

/** @throws Fault usage */
export function assertFlagsFit({ out, dryRun, ranks, budget, as, scheme, allocate, calibration }: FactorizeFlags): void {
  if (out === undefined && !dryRun) throw new Fault("usage", "Where should the factorized model be written?", "Name it with --out, or see the plan alone with --dry-run.");
  if (ranks !== undefined && budget !== undefined) throw new Fault("usage", "--ranks and --budget exclude each other: a budget chooses the ranks.", "Leave one of the two out.");
  if (as === "adapter" && !["auto", "channel", "svd"].includes(scheme)) throw new Fault("usage", `An adapter cannot hold factors of the ${scheme} scheme.`, "Leave --scheme out: matrices take svd, convolutions channel.");
  if (allocate === SENSITIVITY && budget === undefined) throw new Fault("usage", "Sensitivities share a budget, and there is none.", "Give one with --budget, or leave --allocate out.");
  if (allocate === SENSITIVITY && calibration === undefined) throw new Fault("usage", "Sensitivities are measured on data of yours, and there is none.", "Give it with --calibration, or share the budget in another way.");
  // Before anything is read or computed.
  if (budget !== undefined) parseBudget(budget);
  if (ranks !== undefined && !isPlan(ranks)) parseRankRule(ranks);
}

/** Whether what --ranks says is a plan that was made before. */
export function isPlan(ranks: string): boolean {
  return ranks.toLowerCase().endsWith(".json");
}

/** Which layers are factorized, and how. */
export function choiceOf({ scheme, as, include, exclude }: FactorizeFlags): Pick<CandidateOptions, "scheme" | "included" | "excluded"> {
  // LoRA of a convolution is the channel scheme, and no other.
  return { scheme: as === "adapter" ? "channel" : scheme, included: matcher(include), excluded: matcher(exclude) };
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const matches = patterns.length === 0 ? () => false : picomatch([...patterns], { bash: true, dot: true, nonegate: true });
  return (name) => patterns.includes(name) || matches(name);
}
