import type { PlainFault } from "../../shared/fault";
import type { Curve, Draft, LayerLadder, Planning, Proposal } from "../../shared/planning";
import type { OpenOptions } from "../../models/model";
import type { MultiplyAdds } from "../../factorize/multiplyAdds";
import type { Output } from "../../factorize/source";
import type { KnownSpectrum } from "./preparedModel";

/** What the planning process answers. `key` names a model that it has prepared. */
export interface PlanningMethods {
  prepare: { params: PrepareParams; result: Extract<Planning, { state: "ready" }> };
  propose: { params: { key: string; draft: Draft }; result: Proposal };
  /** null: another curve of the model was asked for meanwhile. */
  curve: { params: { key: string; draft: Draft }; result: Curve | null };
  ladders: { params: { key: string; name: string }; result: readonly LayerLadder[] };
  plan: { params: { key: string; draft: Draft }; result: string };
}

export type PlanningMethod = keyof PlanningMethods;

export interface PrepareParams {
  readonly key: string;
  readonly path: string;
  readonly open: OpenOptions;
  readonly as: Output;
  readonly spectra: readonly KnownSpectrum[];
  readonly failed: ReadonlyMap<string, string>;
  /** null: not counted yet. */
  readonly multiplyAdds: MultiplyAdds | null;
  /** 0: as many as there are cores. */
  readonly threads: number;
}

export type PlanningRequest = {
  [M in PlanningMethod]: { readonly id: number; readonly method: M; readonly params: PlanningMethods[M]["params"] };
}[PlanningMethod];

/** Planning process → engine. */
export type PlanningMessage =
  | { readonly type: "result"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault }
  /** The model was dropped, or never prepared here. */
  | { readonly type: "unprepared"; readonly id: number }
  | { readonly type: "layer"; readonly key: string; readonly name: string; readonly done: number }
  | { readonly type: "notice"; readonly text: string };
