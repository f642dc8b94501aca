import type { BaseSettings, EcosystemId, OptimizerSettings, SettingKeys, TrainingConfig } from "../config";
import { type ConfigDocument, type LocatedMapping } from "../documents/located";
import { ABSENT, byDefault, stringSetting } from "./settings";
import { DEFAULT_TARGETS, NO_PATTERN } from "./targets";

export const NO_OPTIMIZER: OptimizerSettings = { name: ABSENT, projected: null, learningRate: ABSENT, loraPlusRatio: ABSENT, gradientAccumulation: ABSENT };
export const UNQUANTIZED: TrainingConfig["quantization"] = { kind: "none", node: null, entry: null };

/** A config with what an ecosystem has; everything else is absent. */
export function trainingConfig(ecosystem: EcosystemId, document: ConfigDocument, section: LocatedMapping, keys: SettingKeys, own: Partial<TrainingConfig>): TrainingConfig {
  return {
    ecosystem, document, section, keys,
    method: "lora", base: null, rank: ABSENT, alpha: ABSENT, scaling: own.useRslora?.value === true ? "alpha/sqrt(r)" : "alpha/r", dropout: byDefault(0),
    targets: DEFAULT_TARGETS, exclude: null, targetParameters: ABSENT, rankPattern: NO_PATTERN, alphaPattern: NO_PATTERN,
    layersToTransform: ABSENT, layersPattern: ABSENT, lastLayers: ABSENT, modulesToSave: null, init: byDefault("default"),
    useRslora: byDefault(false), useDora: byDefault(false), quantization: UNQUANTIZED, optimizer: NO_OPTIMIZER, convolution: null, sequenceLength: ABSENT,
    ...own,
  };
}

/** The base model under a key, and its revision under another. */
export function baseUnder(mapping: LocatedMapping | null, key: string, revisionKey: string | null = null): BaseSettings | null {
  if (mapping === null) return null;
  const name = stringSetting(mapping, key);
  if (name.value === null && name.node === null) return null;
  return { name, revision: revisionKey === null ? byDefault("main") : stringSetting(mapping, revisionKey, "main") };
}
