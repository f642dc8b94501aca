import type { PlainFault } from "../shared/fault";
import type { OpenOptions } from "../models/model";
import type { FirstFigures } from "../shared/report";
import type { RowResult } from "./results";

/** `first`: Frobenius norm and σ₁ only, for the sweep that comes before full spectra. */
export type Depth = "first" | "full";

/** Engine → compute process: measure these matrices of one layer, whose tensor is read once. */
export interface MeasureRequest {
  readonly path: string;
  readonly options: OpenOptions;
  /** Of the model as the engine saw it: other bytes must not be measured under its name. */
  readonly fingerprint: string;
  /** Index in `Model.layers`. */
  readonly layer: number;
  /** Indices in the layer's `views`. */
  readonly views: readonly number[];
  readonly depth: Depth;
  /** Threads of one matrix product. */
  readonly threads: number;
}

/** Compute process → engine. `finished` ends a request. */
export type ComputeMessage =
  | { readonly type: "ready" }
  /** A sentence for the log: why spectra take longer on this machine. */
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "started"; readonly view: number }
  | { readonly type: "estimated"; readonly view: number; readonly first: FirstFigures }
  | { readonly type: "measured"; readonly view: number; readonly result: RowResult }
  | { readonly type: "failed"; readonly view: number; readonly fault: PlainFault }
  | { readonly type: "finished" };
