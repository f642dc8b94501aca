import type { ConfigHover, TextRange } from "../../shared/configReading";
import { bytesText, countText } from "../../shared/figures";
import type { Adapted } from "../adapted";
import { adapterParameters } from "../adapterSize";
import type { ModelModules } from "../base/modelModules";
import type { Setting, TrainingConfig } from "../config";
import { isDora, shareText } from "./counts";
import { groupsOf, membersText, namesOf, type ModuleGroup } from "./moduleGroups";

/** Bytes of a value in the types that adapters are kept in. */
const FLOAT16_BYTES = 2, FLOAT32_BYTES = 4;
/** Adam keeps two moments of each trainable parameter, in float32. */
const ADAM_MOMENTS = 2;
/** Longer tables are not read in a hover. */
const MOST_ROWS = 12;

const EVIDENCE = "With tuned learning rates nine variants of LoRA come out within 1 to 2 % of plain LoRA ([2602.04998](https://arxiv.org/abs/2602.04998)).";

/** What the rank, α, the targets and the optimizer's rank mean for the config's own base model. */
export function hoversOf(config: TrainingConfig, adapted: Adapted | null, model: ModelModules | null): ConfigHover[] {
  if (config.method !== "lora") return [];
  const targets = config.targets.entry ?? null;
  return [
    ...over(config.rank, () => rankText(config, adapted, model)),
    ...over(config.alpha, () => alphaText(config)),
    ...(targets === null || adapted === null || model === null ? [] : [{ range: targets.keyRange, markdown: targetsText(config, adapted, model) }]),
    ...(config.optimizer.projected === null ? [] : over(config.optimizer.projected.rank, () => projectionText(config, model))),
  ];
}

/** Over the key and the value. */
function over(setting: Setting<unknown>, markdown: () => string): ConfigHover[] {
  if (setting.node === null) return [];
  const range: TextRange = setting.entry === null || setting.entry.borrowed ? setting.node.range : setting.entry.range;
  return [{ range, markdown: markdown() }];
}

function rankText(config: TrainingConfig, adapted: Adapted | null, model: ModelModules | null): string {
  const rank = config.rank.value;
  if (rank === null) return "**Rank** of the adapter's factors. Its value is only known to a run.";
  const lines = [`**Rank ${rank}**: each update ΔW = s·B·A has at most this rank (LoRA, [2106.09685](https://arxiv.org/abs/2106.09685)).`];
  if (adapted !== null && model !== null) {
    const dora = isDora(config);
    const trainable = adapterParameters(adapted.modules, dora);
    lines.push(
      `${approximately(model)}${countText(trainable)} trainable parameters, ${shareText(trainable / model.parameters)} of the model's ${countText(model.parameters)}. `
      + `Adapter file: ${bytesText(trainable * FLOAT16_BYTES)} in float16, ${bytesText(trainable * FLOAT32_BYTES)} in float32. AdamW's two moments: ${bytesText(trainable * ADAM_MOMENTS * FLOAT32_BYTES)}.`,
      table(groupsOf(adapted.modules, dora)),
    );
  }
  lines.push(
    "Full fine-tuning changes weights by 10 to 100 times a usual LoRA rank ([2405.09673](https://arxiv.org/abs/2405.09673)); no published rule derives a good rank from the base weights.",
    EVIDENCE,
  );
  return lines.join("\n\n");
}

function alphaText(config: TrainingConfig): string {
  const { alpha: { value: alpha }, rank: { value: rank }, scaling } = config;
  if (scaling === "multiplier") return "**Scale**: the update B·A is multiplied by this, whatever the rank is. It is α/r of other projects.";
  const lines = [scaling === "alpha/sqrt(r)" ? "**α** scales the update by α/√r (rank-stabilised, [2312.03732](https://arxiv.org/abs/2312.03732))." : "**α** scales the update by α/r ([2106.09685](https://arxiv.org/abs/2106.09685))."];
  if (alpha !== null && rank !== null && rank > 0) {
    const scale = scaling === "alpha/sqrt(r)" ? alpha / Math.sqrt(rank) : alpha / rank;
    lines.push(`Here the scale is ${figure(scale)}: α = ${figure(alpha)}, r = ${rank}.`);
    if (scaling === "alpha/r") lines.push(`When r changes, α·r′/r keeps it: at r = ${2 * rank} that is ${figure(2 * alpha)}. The same scale rank-stabilised: α = ${figure(alpha / Math.sqrt(rank))}.`);
  }
  return lines.join("\n\n");
}

function targetsText(config: TrainingConfig, adapted: Adapted, model: ModelModules): string {
  const groups = groupsOf(adapted.modules, isDora(config));
  const names = new Set(adapted.modules.map(({ module }) => module.name));
  const left = namesOf(model.modules.filter(({ kind, name }) => kind === "linear" && !names.has(name)));
  const lines = [`**Targets**: ${approximately(model)}${adapted.modules.length} modules get an adapter.`, table(groups)];
  if (left.length > 0) lines.push(`Linear, and left as they are: ${left.slice(0, MOST_ROWS).map(({ name, modules }) => `\`${code(name)}\` (${membersText(modules)})`).join(", ")}.`);
  if (model.approximate !== null) lines.push(`Approximate: ${model.approximate}`);
  lines.push("Adapting all linear layers does better than attention alone at the same number of parameters ([2405.09673](https://arxiv.org/abs/2405.09673)).");
  return lines.join("\n\n");
}

function projectionText({ optimizer: { projected } }: TrainingConfig, model: ModelModules | null): string {
  const rank = projected?.rank.value ?? null;
  const isApollo = projected?.family === "apollo";
  const lines = [isApollo
    ? "**Rank of APOLLO's projection**: the optimizer's state is kept for gradients projected to this rank ([2412.05270](https://arxiv.org/abs/2412.05270)). Its authors use a quarter of the hidden size, 256 for 1B and 7B models."
    : "**Rank of GaLore's projection**: the optimizer's state is kept for gradients projected to this rank ([2403.03507](https://arxiv.org/abs/2403.03507)). Its authors' rank by hidden size: 128/512, 256/768, 256/1024, 1024/2048, 1024/4096."];
  if (rank !== null && model?.hiddenSize != null) lines.push(`Here: ${rank} of a hidden size of ${model.hiddenSize}, ${shareText(rank / model.hiddenSize)}.`);
  return lines.join("\n\n");
}

function table(groups: readonly ModuleGroup[]): string {
  const rows = groups.slice(0, MOST_ROWS).map(({ name, shape, count, rank, fullRank, parameters }) => `| ${count} | \`${code(name)}\` | ${shape} | ${rank} of ${fullRank} (${shareText(rank / fullRank)}) | ${countText(parameters)} |`);
  const more = groups.length > MOST_ROWS ? [`\n\nand ${groups.length - MOST_ROWS} more kinds`] : [];
  return ["| modules | name | shape | rank | trainable |\n|--:|---|---|---|--:|", ...rows].join("\n") + more.join("");
}

const approximately = (model: ModelModules): string => (model.approximate === null ? "" : "About ");
/** Names of tensors are not to be trusted: nothing in them ends a code span or a table's cell. */
const code = (name: string): string => name.replace(/[`|\\\r\n]/g, "·");
const figure = (value: number): string => String(Number(value.toPrecision(4)));
