import type { Applied, Curve, Draft, LayerLadder, ModelCheck, Planning, Proposal, Work } from "./planning";
import type { ConfigCompletion, ConfigReading, ConfigText, DifferenceRanks } from "./configReading";
import type { ConfigPlan, PlanQuery } from "./plannerPage";
import type { RecipeAddition, RecipeId } from "./recipe";
import type { LayerRow, ModelSummary, Progress, SkippedTensor } from "./report";

/**
 * What the engine answers, by method. Every request names the model by its absolute path: the engine
 * opens headers when it needs them and keeps nothing that a restart would lose.
 */
export interface EngineMethods {
  /** Header only; computes nothing. */
  open: { params: { path: string }; result: OpenedModel };
  /** Computes what is not cached; ends when all rows are done or failed. Cancellable. Streams `progress`. */
  analyze: { params: { path: string }; result: Progress };
  /** A page of the report's table, sorted and filtered by the engine. */
  rows: { params: { path: string } & RowsQuery; result: RowsPage };
  spectrum: { params: { path: string; id: number }; result: Spectrum };
  map: { params: { path: string }; result: ModelMap };
  skipped: { params: { path: string; start: number; end: number }; result: { total: number; items: SkippedTensor[] } };
  /** The whole report as text. */
  export: { params: { path: string; format: ExportFormat; spectrum: boolean }; result: { text: string } };
  /** Mean utilization, where an analysis is cached; computes nothing, opens headers only. */
  badge: { params: { path: string }; result: ModelBadge };
  /** Forgets cached results of one model (or of all), so that the next analysis computes again. */
  forget: { params: { path: string | null }; result: null };
  /** Makes a model ready for proposals: candidates for every layer, for a form of the output. Cancellable. Streams `work` where spectra are computed that no analysis has. @param count multiply-adds too, for which a graph is run once */
  planning: { params: { path: string; as: string; count?: boolean }; result: Planning };
  /** Makes what a draft needs beyond that: ladders of its schemes, multiply-adds or measured latency for its budget. Cancellable. Streams `work`. */
  ready: { params: { path: string; draft: Draft }; result: Planning };
  /** Ranks for all layers. */
  propose: { params: { path: string; draft: Draft }; result: Proposal };
  /** null: superseded by another curve of the model. */
  curve: { params: { path: string; draft: Draft }; result: Curve | null };
  /** What every rank of one layer would cost and lose. */
  ladders: { params: { path: string; as: string; name: string }; result: readonly LayerLadder[] };
  /** A draft as the text of a plan's file. Reads the whole model once, for its hash. */
  plan: { params: { path: string; draft: Draft }; result: { text: string } };
  /** Writes what a plan says, never over the original. Cancellable: then nothing is left behind. Streams `work`. */
  apply: { params: { path: string; plan: string; output: string; as: string }; result: Applied };
  /** Compares a written model with its original, on data (.npz, .npy) or seeded inputs. Cancellable. */
  verify: { params: { path: string; candidate: string; data: string | null }; result: ModelCheck };
  /** What there is to say about a text of training configs; opens headers of base models only. */
  readConfig: { params: ConfigText; result: ConfigReading };
  /** What every method costs on a config's base model. */
  planConfig: { params: ConfigText & { query: PlanQuery }; result: ConfigPlan };
  /** What can be written at a place of it. */
  completeConfig: { params: ConfigText & { at: number }; result: readonly ConfigCompletion[] };
  /** Where a Python training script is to call a recipe. */
  addRecipe: { params: { text: string; recipe: RecipeId }; result: RecipeAddition };
  /** Ranks for one config of a text, from what a fine-tuned model or an adapter (`path`) changes of its base model. Cancellable. Streams `work` with that path. */
  ranksFromDifference: { params: ConfigText & { config: number; path: string }; result: DifferenceRanks };
}

export type EngineMethod = keyof EngineMethods;
export type ExportFormat = "json" | "csv" | "markdown";

export interface OpenedModel {
  readonly summary: ModelSummary;
  /** Rows (matrices) to measure, and tensors that are listed without being measured. */
  readonly rows: number;
  readonly skipped: number;
  /** Where its analysis stands: `done` at once when the cache has everything. */
  readonly progress: Progress;
}

/** Columns that a table can be sorted by; `model` is the file's order. */
export type SortKey =
  | "model" | "name" | "kind" | "shape" | "parameters" | "matrix"
  | "stableRank" | "effectiveRank" | "utilization" | "energyRank0.9" | "energyRank0.95" | "energyRank0.99"
  | "participationRatio" | "numericalRank" | "conditionNumber" | "hardThresholdRank" | "evbmfRank"
  | "spikes" | "softRank" | "powerLawAlpha" | "breakEvenRank" | "spectralRadius"
  | "spectralNorm" | "frobeniusNorm" | "nuclearNorm";

export interface RowsQuery {
  /** Visible rows [start, end) after filter, sort and folding. */
  readonly start: number;
  readonly end: number;
  readonly sort: { readonly key: SortKey; readonly descending: boolean };
  /** Words that must all occur in name, kind, part or dtype (case-insensitive); empty shows all. */
  readonly filter: string;
  /** Names of layers whose parts are shown. */
  readonly open: readonly string[];
  /** Id of a row whose line is wanted, wherever it is. */
  readonly locate?: number;
}

/** A line of the table: a layer (depth 0) or one of its further matrices (depth 1). */
export interface TableLine {
  readonly row: LayerRow;
  readonly depth: 0 | 1;
  /** Further matrices of the layer (parts, other unfoldings); 0 when the line does not open. */
  readonly children: number;
  readonly expanded: boolean;
  /** True when the measures shown are means over the parts of a layer that has no matrix of its own. */
  readonly mean: boolean;
}

export interface RowsPage {
  readonly lines: readonly TableLine[];
  /** Lines after filtering and folding. */
  readonly total: number;
  /** Layers before filtering. */
  readonly layers: number;
  /** The line of the row that `locate` asks for, or of its layer where that is folded; null: filtered out, or not asked. */
  readonly located: number | null;
}

export interface Spectrum {
  readonly row: LayerRow;
  /** Singular values, largest first; empty while not computed. */
  readonly singularValues: readonly number[];
}

/** The model as a picture: blocks × modules for repeated blocks, and a strip by depth for the rest. */
export interface ModelMap {
  readonly blocks: readonly string[];
  readonly modules: readonly string[];
  readonly cells: readonly MapCell[];
  /** Layers outside of repeated blocks, in the model's order (all layers where nothing repeats). */
  readonly strip: readonly MapCell[];
}

export interface MapCell {
  readonly id: number;
  readonly name: string;
  /** Index into blocks and modules; -1 in the strip. */
  readonly block: number;
  readonly module: number;
  /** Ids of all rows it stands for: the layer's matrices, and those of the experts that share it. */
  readonly rows: readonly number[];
  /** `failed`: none of its layers has measures, and none will have without another run. */
  readonly state: "pending" | "done" | "failed";
  /** null until `done`. */
  readonly utilization: number | null;
  readonly parameters: number;
}

export interface ModelBadge {
  readonly format: string;
  readonly parameters: number;
  /** Mean utilization over layers (first matrix of each), weighted equally; null until an analysis is complete. */
  readonly meanUtilization: number | null;
}

/** Engine → extension. */
export interface EngineNotifications {
  progress: Progress;
  work: Work;
  log: { level: "info" | "warn" | "error"; text: string };
}
