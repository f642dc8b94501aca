/** Half-open, in UTF-16 code units of the text, as editors count. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export interface RangeEdit {
  readonly range: TextRange;
  readonly text: string;
}

/** Longer texts are data, not configs: reading one at every keystroke would be felt. */
export const CHARACTERS_AT_MOST = 400_000;

/** The choice that stands for every base model without one of its own. */
export const ANY_BASE = "*";

/** A training config as an editor or a terminal gives it. */
export interface ConfigText {
  readonly text: string;
  readonly language: "yaml" | "json" | "toml" | "python";
  /** The name of the file without its folder, or of the editor's tab. */
  readonly fileName: string;
  /** Where paths of base models may start: the config's own folder first, then the workspace's. */
  readonly folders: readonly string[];
  /** Paths that the person has chosen, by the base model's name as configs write it; `*` for all others. */
  readonly chosenBases: Readonly<Record<string, string>>;
}

/** Everything that is known of a text of training configs: plain data, from which an editor answers without asking again. */
export interface ConfigReading {
  readonly configs: readonly ConfigFacts[];
  readonly findings: readonly ConfigFinding[];
  readonly rewrites: readonly ConfigRewrite[];
  /** Where ranks can be set from a model that the person chooses. */
  readonly rankChoices: readonly RankChoice[];
  readonly hovers: readonly ConfigHover[];
  readonly hints: readonly ConfigHint[];
}

export const NOTHING_READ: ConfigReading = { configs: [], findings: [], rewrites: [], rankChoices: [], hovers: [], hints: [] };

/** One config of the text, and its base model. */
export interface ConfigFacts {
  /** The project's own name: "axolotl", "LLaMA-Factory". */
  readonly ecosystem: string;
  /** Where its lenses stand. */
  readonly range: TextRange;
  readonly base: ConfigBase;
  /** "162 modules · 41.9 M trainable (0.52 %)"; null while the base model or the targets are not known. */
  readonly counts: string | null;
}

export interface ConfigBase {
  /** As written; null where the config names none. */
  readonly name: string | null;
  readonly state: "found" | "absent" | "downloading" | "broken";
  /** The file that was opened; null unless found. */
  readonly path: string | null;
  /** Why it is not known, and what to do; empty when found. */
  readonly remark: string;
}

export type Severity = "error" | "warning" | "information" | "hint";

export interface ConfigFinding {
  /** Stable: settings and comments name it. "target-unmatched" */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly range: TextRange;
  /** The check's place in the documentation. */
  readonly link: string;
  readonly fixes: readonly ConfigFix[];
}

export interface ConfigFix {
  readonly title: string;
  readonly edits: readonly RangeEdit[];
  /** The right answer, and not one of several. */
  readonly isPreferred: boolean;
  /** May be applied to a whole file without being looked at. */
  readonly isSafe: boolean;
}

/** Something that could be better, or otherwise: offered where the cursor stands in `range`. */
export interface ConfigRewrite {
  readonly title: string;
  readonly range: TextRange;
  readonly edits: readonly RangeEdit[];
}

/** A rewrite that needs a choice first: it is asked for by `ranksFromDifference`. */
export interface RankChoice {
  /** Which config of the text, in its order. */
  readonly config: number;
  readonly range: TextRange;
}

/** Ranks from the difference of a fine-tuned model, or an adapter, to the base model. */
export interface DifferenceRanks {
  /** Empty where the file says already what they would say. */
  readonly edits: readonly RangeEdit[];
  /** What was measured, and what was made of it: for a person. */
  readonly message: string;
}

export interface ConfigHover {
  readonly range: TextRange;
  /** Markdown without links that run commands. */
  readonly markdown: string;
}

export interface ConfigHint {
  readonly at: number;
  readonly text: string;
  readonly tooltip: string;
}

export interface ConfigCompletion {
  readonly label: string;
  /** What stands beside the label: "32 modules of 4096 × 4096". */
  readonly detail: string;
  /** What is replaced, with quotes where the text needs them. */
  readonly edit: RangeEdit;
  /** Puts the likely ones first. */
  readonly order: string;
}
