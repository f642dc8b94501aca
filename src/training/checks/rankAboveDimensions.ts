import type { AdaptedModule } from "../adapted";
import { fullRank } from "../adapterSize";
import { lastPart, shapeText } from "../hints/moduleGroups";
import { replaceValue } from "../documents/edits/edits";
import { fix, setValue } from "../fixes/fix";
import { counted, placeOf, type Check, type Found, type Subject } from "./check";

/** An update of rank r needs no more than the shorter side of the matrix; what is above is paid for and unused. */
export const rankAboveDimensions: Check = {
  code: "rank-above-dimensions",
  link: "https://github.com/huggingface/diffusers/issues/4593",
  find(subject) {
    const { config, outcome } = subject;
    if (outcome?.known !== true || !["lora", "adalora", "loha"].includes(config.method)) return [];
    const byKey = new Map<string | null, AdaptedModule[]>();
    for (const adapted of outcome.adapted.modules) {
      if (adapted.rank > limitOf(config.method, adapted)) byKey.set(adapted.rankKey, [...(byKey.get(adapted.rankKey) ?? []), adapted]);
    }
    return [...byKey].map(([key, modules]) => foundFor(subject, key, modules));
  },
};

/** The Hadamard product of two matrices of rank r has rank r² at most (LoHa, arXiv 2108.06098, proposition 1). */
function limitOf(method: string, { module }: AdaptedModule): number {
  return method === "loha" ? Math.ceil(Math.sqrt(fullRank(module))) : fullRank(module);
}

function foundFor({ config }: Subject, key: string | null, modules: readonly AdaptedModule[]): Found {
  const smallest = modules.reduce((a, b) => (limitOf(config.method, b) < limitOf(config.method, a) ? b : a));
  const limit = limitOf(config.method, smallest), { rank, module } = smallest;
  const entry = key === null ? null : (config.rankPattern.entries.find((each) => each.key === key) ?? null);
  const pattern = config.rankPattern.node;
  const edit = entry === null ? setValue(config, config.rank, limit) : pattern?.kind === "mapping" ? replaceValue(config.document, pattern, entry.entry, limit) : null;
  return {
    severity: "warning",
    message: `Rank ${rank} is above ${limit}, the most that ${lastPart(module.name)} (${shapeText(module)}) can use${modules.length > 1 ? `, and above that of ${counted(modules.length - 1, "other module")}` : ""}: the rest is trained and stored for nothing.`,
    range: entry === null ? placeOf(config, config.rank) : entry.entry.value.range,
    fixes: fix(`Set the rank to ${limit}`, [edit]),
  };
}
