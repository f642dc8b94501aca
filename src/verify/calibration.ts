import type { LayerWork } from "../factorize/apply";
import type { LayerInput } from "../factorize/multiplyAdds";
import type { SchemeId, SchemeWish } from "../factorize/scheme";
import type { MeasuredRung } from "../factorize/sensitivity";
import type { Output } from "../factorize/source";
import type { OpenOptions } from "../models/model";

/** What is asked of a process that calibrates. */
export interface CalibrationRequest {
  readonly path: string;
  readonly options: OpenOptions;
  readonly as: Output;
  /** Those whose errors are looked at; null: moments alone, for a plan that is there. */
  readonly scheme: SchemeWish | null;
  /** Names of the layers whose inputs are looked at. */
  readonly layers: readonly string[];
  /** .npz or .npy of the graph's inputs, or ONNX test data; without a graph a .npz of layers' inputs by name. */
  readonly data: string;
  readonly graph: CalibrationGraph | null;
  /** Where moments are written. */
  readonly folder: string;
  /** Of one product. */
  readonly threads: number;
}

export interface CalibrationGraph {
  /** A copy of the model that gives out what layers are applied to. */
  readonly copy: string;
  readonly taken: ReadonlyMap<string, readonly LayerInput[]>;
}

export interface CalibratedLayer {
  readonly name: string;
  /** The file of its moments. */
  readonly moments: string;
  /** Singular values of W S, group by group: those of its outputs on this data. */
  readonly spectra: readonly Float64Array[];
  /** What schemes lose whose factors do not follow data. */
  readonly others: ReadonlyMap<SchemeId, readonly MeasuredRung[]>;
}

export interface CalibrationResult {
  readonly samples: number;
  readonly layers: readonly CalibratedLayer[];
  /** Layers that the data says nothing of. */
  readonly without: readonly { readonly name: string; readonly reason: string }[];
  /** Arrays of the data that belong to none of the layers. */
  readonly unused: readonly string[];
}

/** Measure the outputs of a model where one layer alone is factorized. */
export interface SensitivityRequest {
  /** Of an ONNX model. */
  readonly path: string;
  readonly options: OpenOptions;
  readonly data: string;
  /** Each a layer, and how it is written. */
  readonly trials: readonly LayerWork[];
  /** Where models are written while they run. */
  readonly folder: string;
  readonly threads: number;
}

export interface SensitivityResult {
  /** By trial: squared relative error of the outputs; null where they are not finite. */
  readonly errors: readonly (number | null)[];
  readonly samples: number;
}

/** A layer with too many inputs for its second moment to be kept: 8192² numbers take 512 MiB. */
export const MOST_INPUTS = 8192;

/** Hears of work that is done: of all, and where it is. */
export type CalibrationProgress = (done: number, total: number, layer: string) => void;
