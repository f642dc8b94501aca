/** Which modules a config selects, in PEFT's words; what other projects write is put into them. */
export interface Selection {
  /** A regular expression, or "all-linear"; or names and their ends. null: not given. */
  readonly targetModules: string | readonly string[] | null;
  readonly excludeModules: string | readonly string[] | null;
  readonly targetParameters: readonly string[];
  readonly layersToTransform: number | readonly number[] | null;
  readonly layersPattern: string | readonly string[] | null;
  /** Modules that are trained whole, and get no adapter. */
  readonly modulesToSave: readonly string[];
}

export const NO_SELECTION: Selection = {
  targetModules: null, excludeModules: null, targetParameters: [], layersToTransform: null, layersPattern: null, modulesToSave: [],
};

/** The rank of every selected module. */
export interface RankRules {
  readonly rank: number;
  readonly alpha: number;
  /** Keys are expressions; the first that fits counts. */
  readonly rankPattern: readonly (readonly [key: string, rank: number])[];
  readonly alphaPattern: readonly (readonly [key: string, alpha: number])[];
  /** Scale by α/√r instead of α/r (Kalajdzievski, arXiv 2312.03732). */
  readonly rankStabilized: boolean;
}
