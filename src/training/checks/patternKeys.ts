import type { RankPattern } from "../config";
import type { Adapted } from "../adapted";
import { lastPart } from "../hints/moduleGroups";
import { dropKey, fix, renameKey } from "../fixes/fix";
import { counted, listed, type Check, type Found, type Subject } from "./check";
import { withNewPrefix, withOldPrefix } from "./modelNames";
import { nearestName } from "./nearest";
import { approximately } from "./unmatched";

const PATTERNS = [["rank_pattern", "rankPattern"], ["alpha_pattern", "alphaPattern"]] as const;
type Which = (typeof PATTERNS)[number][0];

/** A key of a pattern that fits no module: until August 2026 PEFT said nothing of it. */
export const patternKeyUnmatched: Check = {
  code: "pattern-key-unmatched",
  link: "https://github.com/huggingface/peft/pull/3582",
  find: (subject) => everyKey(subject, (fitting, entry, pattern) => {
    const { config, model, outcome } = subject;
    if (fitting.length > 0 || model === null || outcome?.known !== true || withNewPrefix(entry.key).length + withOldPrefix(entry.key).length > 0) return null;
    const others = model.modules.filter(({ name }) => outcome.adapted.ranks.keysOf(name, pattern.which).includes(entry.key));
    const correct = others.length > 0 ? null : correctedKey(entry.key, outcome.adapted);
    const why = others.length > 0
      ? `${entry.key} fits ${counted(others.length, "module")} of the model, such as ${others[0]!.name}, but none that is targeted`
      : `${entry.key} fits none of the ${counted(outcome.adapted.modules.length, "targeted module")}`;
    return {
      severity: model.approximate === null ? "warning" : "hint",
      message: `${why}: its ${pattern.which === "rank_pattern" ? "rank" : "α"} is not used.${correct === null ? "" : ` Did you mean ${correct}?`}${approximately(subject)}`,
      range: entry.keyRange,
      fixes: [
        ...(correct === null ? [] : fix(`Change to ${correct}`, [renameKey(config, entry, correct)], { isPreferred: true })),
        ...fix(`Remove ${entry.key}`, [dropKey(config, pattern.of, entry)]),
      ],
    };
  }),
};

/** A key behind another one that fits the same modules: the first that fits counts. */
export const patternKeyShadowed: Check = {
  code: "pattern-key-shadowed",
  link: "https://github.com/huggingface/peft/pull/3582",
  find: (subject) => everyKey(subject, (fitting, entry, pattern) => {
    const { config, outcome } = subject;
    if (fitting.length === 0 || outcome?.known !== true) return null;
    const firsts = fitting.map((name) => outcome.adapted.ranks.keysOf(name, pattern.which)[0]!);
    if (firsts.some((key) => key === entry.key)) return null;
    return {
      severity: "warning",
      message: `${entry.key} fits ${counted(fitting.length, "module")}, all of which ${listed([...new Set(firsts)])} above fits first: its value is not used.`,
      range: entry.keyRange,
      fixes: fix(`Remove ${entry.key}`, [dropKey(config, pattern.of, entry)]),
    };
  }),
};

interface Pattern {
  readonly which: Which;
  readonly of: RankPattern;
}

function everyKey({ config, outcome }: Subject, judge: (fitting: readonly string[], entry: RankPattern["entries"][number], pattern: Pattern) => Found | null): Found[] {
  if (outcome?.known !== true || outcome.adapted.modules.length === 0) return [];
  const { ranks, modules } = outcome.adapted;
  return PATTERNS.flatMap(([which, property]) => config[property].entries.flatMap((entry) => {
    // An expression that Python refuses is no matter of names.
    if (ranks.undecided.some(({ key, source }) => key === which && source === entry.key)) return [];
    const fitting = modules.map(({ module }) => module.name).filter((name) => ranks.keysOf(name, which).includes(entry.key));
    const found = judge(fitting, entry, { which, of: config[property] });
    return found === null ? [] : [found];
  }));
}

/** The key as it would fit: without PEFT's own prefix, without `.weight`, without a mark of the start, or with a name that exists. */
function correctedKey(key: string, { modules }: Adapted): string | null {
  const bare = key.replace(/^\^/, "").replace(/^base_model\\?\.model\\?\./, "").replace(/(?:\\?\.(?:default|lora_[AB]))*\\?\.weight\$?$/, "");
  const names = modules.map(({ module }) => module.name);
  const plain = bare.replaceAll("\\.", ".");
  if (bare !== key && names.some((name) => name === plain || name.endsWith(`.${plain}`))) return bare;
  return /^\w+$/.test(bare) ? nearestName(bare, names.map(lastPart)) : null;
}
