import type { ConfigDocument, Located, LocatedEntry, LocatedMapping, Range } from "./documents/located";

/** The kinds of training config that are read, one descriptor each in `ecosystems/`. */
export type EcosystemId =
  | "peft-json" | "peft-python" | "axolotl" | "llama-factory" | "llama-factory-v1" | "torchtune" | "trl" | "transformers" | "unsloth"
  | "sd-scripts" | "lycoris" | "ai-toolkit" | "nemo" | "nemo-automodel" | "ms-swift" | "mlx-lm" | "ludwig" | "litgpt" | "hydra";

/**
 * One setting, in one of four states:
 * written (`value` and `node`), left to the ecosystem's default (`value`, `node` null),
 * written but only known to a run (`value` null, `node`), or neither written nor given a default (both null).
 */
export interface Setting<T> {
  readonly value: T | null;
  readonly node: Located | null;
  /** The entry that holds `node`; null with it, and for values that are part of another one's text. */
  readonly entry: LocatedEntry | null;
}

/** One name or pattern among the targets; `range` is its text in the file, with its quotes where it has some of its own. */
export interface TargetItem {
  readonly text: string;
  readonly range: Range;
}

/**
 * Which modules are adapted, in the form that decides how names are matched:
 * - `list`: PEFT's rule, the exact name or a name that ends in `.item`.
 * - `regex`: the pattern matches the whole name.
 * - `all-linear`: every linear module but the output head.
 * - `wildcards`: `*` stands for any run of characters (NeMo), the whole name; an item without `*` is a last part of a name.
 * - `substrings`: a name that contains one of the items (ai-toolkit).
 * - `components`: names of the ecosystem's own for parts of a layer (litgpt's flags, torchtune's lists), here as the last
 *   parts of the modules' names that they adapt.
 * - `in-layer`: the exact name within a layer: `self_attn.q_proj` (mlx-lm).
 * - `classes`: chosen by the classes of modules, which a file of weights does not tell (sd-scripts).
 * - `default`: left to the library, by the architecture.
 * - `unknown`: written in a way that only a run tells.
 */
export type Targets =
  | { readonly form: "list" | "wildcards" | "substrings" | "components" | "in-layer"; readonly items: readonly TargetItem[]; readonly node: Located | null; readonly entry: LocatedEntry | null; readonly complete: boolean }
  | { readonly form: "regex"; readonly item: TargetItem; readonly node: Located; readonly entry: LocatedEntry | null }
  | { readonly form: "all-linear" | "classes" | "default" | "unknown"; readonly node: Located | null; readonly entry: LocatedEntry | null };

/** One entry of `rank_pattern` or `alpha_pattern`. */
export interface PatternEntry {
  readonly key: string;
  readonly keyRange: Range;
  /** Null where only a run tells. */
  readonly value: number | null;
  readonly entry: LocatedEntry;
}

/** The entries in the order of the file, which decides: the first key that matches a module is its own. */
export interface RankPattern {
  readonly entries: readonly PatternEntry[];
  readonly node: Located | null;
  readonly entry: LocatedEntry | null;
  /** False where further entries are only known to a run. */
  readonly complete: boolean;
}

/** How the update is scaled: α/r, α/√r, by a multiplier that does not know of r, or not at all. */
export type Scaling = "alpha/r" | "alpha/sqrt(r)" | "multiplier" | "unknown";

/** How the base model's weights are held while it is trained, by the libraries' names. */
export type Quantization = "none" | "bnb-4bit" | "bnb-8bit" | "gptq" | "awq" | "aqlm" | "eetq" | "hqq" | "other" | "unknown";

/** Where the base model is looked for. */
export interface BaseSettings {
  /** An id of the Hugging Face hub, or a path, as written. */
  readonly name: Setting<string>;
  /** Default `main`. */
  readonly revision: Setting<string>;
}

/** An optimizer whose state is kept in a projection of low rank. */
export interface ProjectedOptimizer {
  readonly family: "galore" | "apollo" | "q-galore";
  /** Where its rank and targets stand, and what they are called there; left out where a fix cannot write them. */
  readonly section: LocatedMapping;
  readonly keys: { readonly rank?: string; readonly targets?: string };
  readonly rank: Setting<number>;
  readonly targets: Targets;
  /** One layer's gradient at a time, which excludes accumulating them. */
  readonly layerWise: Setting<boolean>;
}

export interface OptimizerSettings {
  readonly name: Setting<string>;
  readonly projected: ProjectedOptimizer | null;
  readonly learningRate: Setting<number>;
  /** λ of LoRA+: the learning rate of B over that of A. */
  readonly loraPlusRatio: Setting<number>;
  readonly gradientAccumulation: Setting<number>;
}

/** Settings of image models' trainers. */
export interface ConvolutionSettings {
  /** `sdxl` and `sd` decide how many blocks there are; null where the file does not tell. */
  readonly architecture: "sd" | "sdxl" | null;
  /** Rank of 3×3 convolutions; they are left alone without it. */
  readonly rank: Setting<number>;
  readonly alpha: Setting<number>;
  /** One rank for each block of the U-Net. */
  readonly blockRanks: Setting<readonly number[]>;
  readonly blockAlphas: Setting<readonly number[]>;
}

/**
 * What is trained: `lora` with its switches, another adapter of PEFT or LyCORIS by its own lower-case name
 * (`loha`, `lokr`, `vera`, `oft`, `ia3`, `adalora` …), or every weight.
 */
export type Method = "full" | "lora" | (string & Record<never, never>);

/** A training config of any ecosystem, in one form. One file may hold several (Python; ai-toolkit's processes). */
export interface TrainingConfig {
  readonly ecosystem: EcosystemId;
  readonly document: ConfigDocument;
  /** The mapping or call in which the adapter's keys stand and into which new ones are written. */
  readonly section: LocatedMapping;
  /** What the ecosystem calls a setting in `section`; a setting that it does not have is left out. */
  readonly keys: SettingKeys;
  readonly method: Method;
  readonly base: BaseSettings | null;
  readonly rank: Setting<number>;
  /** With `multiplier` as scaling, the multiplier. */
  readonly alpha: Setting<number>;
  readonly scaling: Scaling;
  readonly dropout: Setting<number>;
  readonly targets: Targets;
  readonly exclude: Targets | null;
  /** Parameters that are no module's weight, by name: fused experts. */
  readonly targetParameters: Setting<readonly string[]>;
  readonly rankPattern: RankPattern;
  readonly alphaPattern: RankPattern;
  readonly layersToTransform: Setting<readonly number[]>;
  readonly layersPattern: Setting<readonly string[]>;
  /** Only the last N layers are adapted (mlx-lm); null where all are. */
  readonly lastLayers: Setting<number>;
  readonly modulesToSave: Targets | null;
  /** Lower case: `default`, `gaussian`, `pissa`, `pissa_niter_16`, `olora`, `eva`, `corda`, `loftq`, `orthogonal`, `lora_ga`, `false` … */
  readonly init: Setting<string>;
  readonly useRslora: Setting<boolean>;
  readonly useDora: Setting<boolean>;
  readonly quantization: { readonly kind: Quantization; readonly node: Located | null; readonly entry: LocatedEntry | null };
  readonly optimizer: OptimizerSettings;
  readonly convolution: ConvolutionSettings | null;
  /** Sizes of the work where the file tells them: for the planner's estimates. */
  readonly sequenceLength: Setting<number>;
}

/** A setting that a fix may write. */
export type SettingName =
  | "rank" | "alpha" | "dropout" | "targets" | "exclude" | "rankPattern" | "alphaPattern" | "init" | "useRslora" | "useDora"
  | "targetParameters" | "modulesToSave" | "loraPlusRatio" | "convolutionRank" | "layersToTransform";

/** Keys of `section` by setting. */
export type SettingKeys = Readonly<Partial<Record<SettingName, string>>>;
