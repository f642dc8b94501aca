import { Fault } from "../../shared/fault";
import type { ConfigPlan, PlanQuery, PlanTargets } from "../../shared/plannerPage";
import { adaptedBy } from "../adapted";
import type { BaseModel } from "../base/baseModels";
import type { BaseModule, ModelModules } from "../base/modelModules";
import type { TrainingConfig } from "../config";
import { ecosystemLabel } from "../ecosystems/ecosystems";
import { NO_SELECTION } from "../matching/selection";
import { ALL_LINEAR, matchTargets, type Matched } from "../matching/targets";
import type { AdaptedMatrix } from "./method";
import { ownMethod } from "./ownMethod";
import { adaptedMatrices, isAdaptable, planRows, usualProjectionRank } from "./plan";

/** Where a config says no rank: PEFT's default. */
const USUAL_RANK = 8;
/** Steps of a module's path that say which part of a block it belongs to. */
const PARTS: Readonly<Record<"attention" | "mlp", RegExp>> = {
  attention: /(?:^|\.)\w*(?:attn|attention)\w*(?=\.)/i,
  mlp: /(?:^|\.)(?:mlp|ffn|feed_forward|ff|intermediate|block_sparse_moe|experts)(?=\.|$)|(?:^|\.)(?:fc1|fc2|c_fc)$/i,
};
const CHOICES: readonly PlanTargets[] = ["config", "all-linear", "attention", "mlp"];

type Selected = Pick<Matched, "modules" | "expertParameters">;

/**
 * Every method on the base model of a config.
 * @param configs all of the file, of which the query chooses one
 * @throws Fault not-found, malformed and those of the base model: why there is nothing to plan for
 */
export function planConfig(configs: readonly TrainingConfig[], base: BaseModel, query: PlanQuery): ConfigPlan {
  const index = Math.min(query.config ?? 0, configs.length - 1);
  const config = configs[index];
  if (config === undefined) throw new Fault("not-found", "This file has no training config that RankLens reads.", "Open the planner on the config of a training.");
  const model = modelOf(base, config);
  const outcome = adaptedBy(config, model);
  const adapted = outcome.known ? outcome.adapted : null;
  const own: Selected | null = adapted === null ? null : { modules: adapted.modules.map(({ module }) => module), expertParameters: adapted.expertParameters };
  const selections = new Map(CHOICES.map((targets) => [targets, targets === "config" ? own : selectedAs(targets, model)]));
  const choices = CHOICES.flatMap((targets) => {
    const modules = sizeOf(selections.get(targets) ?? null);
    return modules === 0 ? [] : [{ targets, modules }];
  });
  const targets = choices.find((choice) => choice.targets === query.targets)?.targets ?? choices[0]?.targets;
  if (targets === undefined) throw new Fault("not-found", "Nothing in the base model can have an adapter.", "Check whether it is the right model.");
  const configRank = config.rank.value ?? USUAL_RANK;
  const ranks = { of: (name: string) => (query.rank !== null ? rankOnly(query.rank) : (adapted?.ranks.of(name) ?? rankOnly(configRank))) };
  const matrices = adaptedMatrices(selections.get(targets)!, ranks);
  const projectionRank = query.projectionRank ?? config.optimizer.projected?.rank.value ?? usualProjectionRank(model.hiddenSize);
  return {
    fileName: config.document.fileName, ecosystem: ecosystemLabel(config.ecosystem),
    configs: configs.map(nameOf), config: index, base: { name: config.base?.name.value ?? model.path, parameters: model.parameters, remark: model.approximate ?? "" },
    targets, choices, projectionRank, largestRank: largestRank(matrices), own: ownMethod(config),
    rank: rankSpan(matrices), rows: planRows(model, matrices, projectionRank),
  };
}

function modelOf(base: BaseModel, config: TrainingConfig): ModelModules {
  const name = config.base?.name.value ?? "";
  switch (base.state) {
    case "found": return base.modules;
    case "broken": throw Fault.fromPlain(base.fault);
    case "downloading": throw new Fault("not-found", `The base model ${name} is not whole yet.`, "Try again when its download has ended.");
    case "absent": throw name === ""
      ? new Fault("not-found", "The config names no base model.", "Name it in the config, or choose one.")
      : new Fault("not-found", `The base model ${name} is not on this machine.`, "Download it, or choose its folder.");
  }
}

function selectedAs(targets: Exclude<PlanTargets, "config">, model: ModelModules): Selected {
  const outcome = matchTargets(model, { ...NO_SELECTION, targetModules: ALL_LINEAR });
  const linear: readonly BaseModule[] = outcome.decided ? outcome.matched.modules : [];
  const inPart = (name: string): boolean => targets === "all-linear" || PARTS[targets].test(name);
  return { modules: linear.filter(({ name }) => inPart(name)), expertParameters: model.expertParameters.filter(({ name }) => inPart(name)) };
}

function sizeOf(selected: Selected | null): number {
  return selected === null ? 0 : selected.modules.filter(isAdaptable).length + selected.expertParameters.length;
}

function rankOnly(rank: number): { rank: number; alpha: number; scale: number; rankKey: null; alphaKey: null } {
  return { rank, alpha: rank, scale: 1, rankKey: null, alphaKey: null };
}

function rankSpan(matrices: readonly AdaptedMatrix[]): ConfigPlan["rank"] {
  const ranks = matrices.map(({ rank }) => rank);
  return { least: Math.min(...ranks), most: Math.max(...ranks) };
}

function largestRank(matrices: readonly AdaptedMatrix[]): number {
  return matrices.reduce((most, { inputs, outputs }) => Math.max(most, Math.min(inputs, outputs)), 1);
}

/** Configs of one file are told apart by where they begin. */
function nameOf({ ecosystem, document, section }: TrainingConfig): string {
  const line = document.text.slice(0, section.range.start).split("\n").length;
  return `${ecosystemLabel(ecosystem)}, line ${line}`;
}
