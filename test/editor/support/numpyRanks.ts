import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface NumpyRanks {
  readonly stableRank: number;
  readonly effectiveRank: number;
  readonly energyRank90: number;
}

/** What numpy says of each matrix of a model file, by tensor. */
export function numpyRanks(model: string): Record<string, NumpyRanks> {
  return JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "numpy_ranks.py"), model], { encoding: "utf8" })) as Record<string, NumpyRanks>;
}
