import type { AdapterConfig } from "./config";

export interface Scale {
  readonly value: number;
  /** Where it comes from, when that is not plain. */
  readonly remark: string | null;
}

/**
 * The factor of an adapter's change: α/r, α/√r where the configuration says so.
 * @param alpha that the file keeps beside the factors (kohya, LyCORIS); null when it has none
 * @param rank of the factors; null where both factors of a LoKr are whole, which LyCORIS does not scale
 */
export function scaleOf(module: string, rank: number | null, alpha: number | null, config: AdapterConfig | null): Scale {
  if (alpha !== null) return { value: rank === null ? 1 : alpha / rank, remark: null };
  if (config === null) return { value: 1, remark: "no alpha beside it" };
  const known = config.of(module);
  if (known.scale !== null) return { value: known.scale, remark: null };
  const r = rank ?? known.rank;
  if (known.alpha === null || r === null) return { value: 1, remark: `${config.source} has no alpha for it` };
  return known.byRoot ? { value: known.alpha / Math.sqrt(r), remark: "α/√r" } : { value: known.alpha / r, remark: null };
}
