import { PythonPattern } from "./python/pattern";
import type { RankRules } from "./selection";
import type { UndecidedPattern } from "./targets";

/** Rank, α and scale of one module, and the keys of the patterns that gave them; null: the file's own figures. */
export interface ModuleRank {
  readonly rank: number;
  readonly alpha: number;
  readonly scale: number;
  readonly rankKey: string | null;
  readonly alphaKey: string | null;
}

export interface CompiledRanks {
  readonly undecided: readonly UndecidedPattern[];
  /** @param name of a module, as the model has it */
  of(name: string): ModuleRank;
  /** Of `rank_pattern` or `alpha_pattern`: every key that would fit, in order; the first is the one that counts. */
  keysOf(name: string, which: "rank_pattern" | "alpha_pattern"): readonly string[];
}

/**
 * PEFT, utils/other.py, `get_pattern_key`: the first key for which `(.*\.)?(KEY)$` matches from the start of the module's name. A
 * key that Python refuses, or that RankLens does not decide, is listed and taken as one that does not fit.
 */
export function compileRanks(rules: RankRules): CompiledRanks {
  const undecided: UndecidedPattern[] = [];
  const compiled = (key: "rank_pattern" | "alpha_pattern", entries: RankRules["rankPattern"]) => entries.flatMap(([source, value]) => {
    const pattern = PythonPattern.of(String.raw`(.*\.)?(${source})$`);
    if (pattern instanceof PythonPattern) return [{ source, value, pattern }];
    undecided.push({ key, source, fault: pattern });
    return [];
  });
  const patterns = { rank_pattern: compiled("rank_pattern", rules.rankPattern), alpha_pattern: compiled("alpha_pattern", rules.alphaPattern) };
  const first = (which: keyof typeof patterns, name: string) => patterns[which].find(({ pattern }) => pattern.matchesStart(name)) ?? null;
  return {
    undecided,
    of: (name) => {
      const ofRank = first("rank_pattern", name), ofAlpha = first("alpha_pattern", name);
      const rank = ofRank?.value ?? rules.rank, alpha = ofAlpha?.value ?? rules.alpha;
      return { rank, alpha, scale: alpha / (rules.rankStabilized ? Math.sqrt(rank) : rank), rankKey: ofRank?.source ?? null, alphaKey: ofAlpha?.source ?? null };
    },
    keysOf: (name, which) => patterns[which].filter(({ pattern }) => pattern.matchesStart(name)).map(({ source }) => source),
  };
}
