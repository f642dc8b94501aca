import type { PlainFault } from "./fault";

/** Which modules a plan is made for: the config's own targets, or a part of every model. */
export type PlanTargets = "config" | "all-linear" | "attention" | "mlp";

/** What a person varies; null leaves it to the config. */
export interface PlanQuery {
  /** Which config of a file that holds several, in its order; null: the one that the planner was opened for. */
  readonly config: number | null;
  readonly targets: PlanTargets | null;
  /** One rank for every module; null: the config's own, with its patterns. */
  readonly rank: number | null;
  /** Rank of the optimizers that project gradients. */
  readonly projectionRank: number | null;
}

export const CONFIGS_OWN: PlanQuery = { config: null, targets: null, rank: null, projectionRank: null };

/** `trainable`: what is saved and the optimizer's state follow from it. */
export type Estimated = "trainable" | "saved" | "optimizer";

/** One method on one model. */
export interface PlanRow {
  readonly id: string;
  readonly label: string;
  /** `adapter`: few weights beside frozen ones; `full`: all weights; `optimizer`: all weights, with a smaller optimizer state. */
  readonly group: "adapter" | "full" | "optimizer";
  readonly trainable: number;
  /** Trained numbers by all numbers that the model then has. */
  readonly share: number;
  /** Bytes of what is saved: the adapter, or the model's weights. */
  readonly savedBytes: number;
  readonly optimizerBytes: number;
  readonly formula: string;
  readonly source: string;
  readonly url: string;
  /** The figure that rests on a choice which the note names, and what follows from it; null: all are by the formula. */
  readonly estimated: Estimated | null;
  readonly note: string;
}

/** Every method on the base model of a config. */
export interface ConfigPlan {
  readonly fileName: string;
  /** The project's own name: "axolotl". */
  readonly ecosystem: string;
  /** Names of the file's configs, to choose among, and which of them this is. */
  readonly configs: readonly string[];
  readonly config: number;
  readonly base: { readonly name: string; readonly parameters: number; readonly remark: string };
  readonly targets: PlanTargets;
  /** What can be chosen on this model, with the number of modules. */
  readonly choices: readonly { readonly targets: PlanTargets; readonly modules: number }[];
  /** Of each module: equal where `least` is `most`. */
  readonly rank: { readonly least: number; readonly most: number };
  readonly projectionRank: number;
  /** The largest rank that any of the modules can have. */
  readonly largestRank: number;
  /** The config's own method, of `rows`; null where it is none of them. */
  readonly own: string | null;
  readonly rows: readonly PlanRow[];
}

/** What the planner's page asks of its host, which knows the config that it is about. */
export interface PlannerMethods {
  /** `place` is for the page to keep: by it, the host finds the config again after the window was reloaded. */
  plan: { params: PlanQuery; result: { readonly plan: ConfigPlan; readonly place: string } };
  copy: { params: { text: string }; result: null };
  showLog: { params: null; result: null };
}

/** `changed`: the config or its base model is another now; the page asks again. */
export type PlannerNews = { readonly type: "changed" };

export type HostToPlanner =
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault }
  | PlannerNews;
