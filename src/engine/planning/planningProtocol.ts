import type { PlainFault } from "../../shared/fault";
import type { Curve, Draft, LayerLadder, Planning, Proposal } from "../../shared/planning";
import type { OpenOptions } from "../../models/model";
import type { Spectra } from "../../factorize/ladder";
import type { ModelTimes } from "../../factorize/latency";
import type { MultiplyAdds } from "../../factorize/multiplyAdds";
import type { SchemeId } from "../../factorize/scheme";
import type { Output } from "../../factorize/source";
import type { LayerSamples } from "../latencyApart";
import type { Ladders, LaddersWish } from "./makeLadders";
import type { KnownSpectrum } from "./preparedModel";

/** What the planning process answers. `key` names a model that it has prepared. */
export interface PlanningMethods {
  prepare: { params: PrepareParams; result: Extract<Planning, { state: "ready" }> };
  propose: { params: { key: string; draft: Draft }; result: Proposal };
  /** null: another curve of the model was asked for meanwhile. */
  curve: { params: { key: string; draft: Draft }; result: Curve | null };
  ladders: { params: { key: string; name: string }; result: readonly LayerLadder[] };
  plan: { params: { key: string; draft: Draft }; result: string };
  /** The ways to write each candidate that are timed for these schemes. */
  samples: { params: { key: string; schemes: readonly SchemeId[] }; result: readonly LayerSamples[] };
  /** Needs no model that was prepared: `made` tells of each layer. */
  makeLadders: { params: MakeParams; result: null };
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
  readonly ladders: Ladders;
  /** Schemes that the ladders are complete for. */
  readonly made: readonly SchemeId[];
  /** null: not measured yet. */
  readonly times: ModelTimes | null;
  /** 0: as many as there are cores. */
  readonly threads: number;
}

export interface MakeParams extends LaddersWish {
  readonly key: string;
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
  | { readonly type: "making"; readonly path: string; readonly name: string; readonly done: number; readonly total: number }
  | { readonly type: "made"; readonly key: string; readonly name: string; readonly spectra: ReadonlyMap<SchemeId, Spectra> }
  | { readonly type: "notice"; readonly text: string };
