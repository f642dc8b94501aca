import type { PatternEntry } from "../config";
import { compileRanks } from "../matching/ranks";
import { rankRulesOf } from "../adapted";
import { fix, setSetting } from "../fixes/fix";
import { setEntry } from "../documents/edits/edits";
import { counted, figure, type Check, type Subject } from "./check";

/** A scale that differs by this factor from the file's own is no rounding. */
const FAR = 2;

/** `rank_pattern` without a proportional `alpha_pattern`: where r is larger, the update is smaller in proportion. */
export const scaleOfPattern: Check = {
  code: "pattern-changes-scale",
  link: "https://github.com/huggingface/diffusers/issues/14409",
  find(subject) {
    const { config } = subject;
    const { rankPattern, rank, alpha, scaling } = config;
    const rules = rankRulesOf(config);
    if (rules === null || rank.value === null || alpha.value === null || rankPattern.entries.length === 0 || (scaling !== "alpha/r" && scaling !== "alpha/sqrt(r)")) return [];
    const power = scaling === "alpha/r" ? 1 : 0.5;
    const own = alpha.value / rank.value ** power;
    const far = rankPattern.entries.flatMap((entry) => {
      const r = entry.value, a = alphaFor(subject, entry);
      if (r === null || r <= 0 || a === null || own <= 0) return [];
      const scale = a / r ** power;
      return scale / own >= FAR || own / scale >= FAR ? [{ entry, r, scale }] : [];
    });
    const [first] = far;
    if (first === undefined) return [];
    const others = far.length === 1 ? "" : ` The same holds for ${counted(far.length - 1, "other key")}.`;
    return [{
      severity: "information",
      message: `With rank ${first.r} and α ${figure(first.scale * first.r ** power)}, ${first.entry.key} is scaled by ${figure(first.scale)}, all others by ${figure(own)}.${others} An alpha_pattern in proportion keeps the scale.`,
      range: first.entry.keyRange,
      fixes: proportional(subject, own, power),
    }];
  },
};

/** The α that the entry's modules get; without a model, by the key alone. */
function alphaFor({ config, outcome }: Subject, { key }: PatternEntry): number | null {
  const { alphaPattern, alpha } = config;
  if (alphaPattern.entries.length === 0) return alpha.value;
  const same = alphaPattern.entries.find((entry) => entry.key === key);
  if (same !== undefined) return same.value;
  if (outcome?.known !== true) return null;
  const rules = rankRulesOf(config);
  const ranks = rules === null ? null : compileRanks(rules);
  const module = outcome.adapted.modules.find(({ rankKey }) => rankKey === key);
  return ranks === null || module === undefined ? null : ranks.of(module.module.name).alpha;
}

function proportional({ config }: Subject, own: number, power: number): ReturnType<typeof fix> {
  const { rankPattern, alphaPattern, document, section, keys } = config;
  if (keys.alphaPattern === undefined || !rankPattern.complete || alphaPattern.entries.length > 0) return [];
  const values = Object.fromEntries(rankPattern.entries.map(({ key, value }) => [key, own * (value ?? 1) ** power]));
  const edit = rankPattern.entry?.borrowed === false ? setEntry(document, section, keys.alphaPattern, values, rankPattern.entry) : setSetting(config, "alphaPattern", values);
  return fix("Add an alpha_pattern that keeps the scale", [edit], { isPreferred: true });
}
