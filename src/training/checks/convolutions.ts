import { fix, setValue } from "../fixes/fix";
import { counted, headOf, placeOf, type Check } from "./check";

/** PEFT raises where the rank cannot be shared among a convolution's groups. */
export const groupedConvolution: Check = {
  code: "grouped-convolution",
  link: "https://github.com/huggingface/peft/pull/2549",
  find({ config, outcome }) {
    if (outcome?.known !== true || config.method !== "lora") return [];
    const wrong = outcome.adapted.modules.filter(({ module, rank }) => module.groups > 1 && rank % module.groups !== 0);
    const [first] = wrong;
    if (first === undefined) return [];
    const { module: { name, groups }, rank, rankKey } = first;
    const next = Math.ceil(rank / groups) * groups;
    return [{
      severity: "error",
      message: `${name} is a convolution of ${groups} groups, and rank ${rank} is no multiple of that: PEFT raises an error${wrong.length > 1 ? `, as it does for ${counted(wrong.length - 1, "other module")}` : ""}.`,
      range: rankKey === null ? placeOf(config, config.rank) : (config.rankPattern.entries.find(({ key }) => key === rankKey)?.keyRange ?? headOf(config)),
      fixes: rankKey === null ? fix(`Set the rank to ${next}`, [setValue(config, config.rank, next)]) : [],
    }];
  },
};

/** sd-scripts puts adapters on 3×3 convolutions only where `conv_dim` is given. */
export const untouchedConvolutions: Check = {
  code: "convolutions-untouched",
  link: "https://github.com/kohya-ss/sd-scripts/blob/main/docs/train_network.md",
  find({ config }) {
    const { convolution } = config;
    if (config.ecosystem !== "sd-scripts" || convolution === null || convolution.architecture === null || convolution.rank.node !== null) return [];
    return [{ severity: "hint", message: "Without conv_dim in network_args the 3×3 convolutions get no adapter.", range: placeOf(config, config.rank), fixes: [] }];
  },
};

/** Blocks of the U-Nets (networks/lora.py: 2 · 12 + 1; 1 + 2 · 9 + 3 + 1). */
const BLOCKS = { sd: 25, sdxl: 23 } as const;

/** sd-scripts stops unless there is one number for each block. */
export const blockRanks: Check = {
  code: "block-ranks-length",
  link: "https://github.com/kohya-ss/sd-scripts/blob/main/networks/lora.py",
  find({ config }) {
    if (config.convolution === null) return [];
    const { architecture } = config.convolution;
    const right = architecture === null ? Object.values(BLOCKS) : [BLOCKS[architecture]];
    const expected = architecture === null ? `${BLOCKS.sd} for Stable Diffusion or ${BLOCKS.sdxl} for SDXL` : `${BLOCKS[architecture]}`;
    return ([["block_dims", config.convolution.blockRanks], ["block_alphas", config.convolution.blockAlphas]] as const).flatMap(([key, { value, node }]) => {
      if (value === null || node === null || right.some((count) => count === value.length)) return [];
      return [{ severity: "error" as const, message: `${key} has ${counted(value.length, "number")} and needs ${expected}: training stops.`, range: node.range, fixes: [] }];
    });
  },
};
