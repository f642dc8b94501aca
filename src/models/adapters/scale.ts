import type { AdapterConfig } from "./config";

export interface Scale {
  readonly value: number;
  /** Where it comes from, when that is not plain. */
  readonly remark: string | null;
}

/** What PEFT writes before the path of a module. */
const WRAPPER = /^base_model\.model\./;

/**
 * The factor of an adapter's change: α/r, α/√r where the configuration says so.
 * @param alpha that the file keeps beside the factors (kohya, LyCORIS); null when it has none
 * @param rank of the factors; null where both factors of a LoKr are whole, which LyCORIS does not scale
 */
export function scaleOf(module: string, rank: number | null, alpha: number | null, config: AdapterConfig | null): Scale {
  if (alpha !== null) return { value: rank === null ? 1 : alpha / rank, remark: null };
  if (config === null) return { value: 1, remark: "no alpha beside it" };
  if (config.scale !== null) return { value: config.scale, remark: null };
  const path = module.replace(WRAPPER, "");
  const known = config.alphaOf(path), r = rank ?? config.rankOf(path);
  if (known === null || r === null) return { value: 1, remark: "adapter_config.json has no alpha" };
  return config.byRoot ? { value: known / Math.sqrt(r), remark: "α/√r" } : { value: known / r, remark: null };
}
