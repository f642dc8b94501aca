import type { Composite } from "../linalg/composite";
import type { LayerKind, ModelSummary, SkippedTensor, Unfolding } from "../shared/report";

/** A tensor as the file describes it. Its values are read on demand. */
export interface Tensor {
  readonly name: string;
  /** Stored type, in the lower-case names of `dtypes.ts`, or the format's own name of a quantized block type. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** One axis of a matrix view over a row-major tensor: `size` steps of `stride` elements. */
export interface Axis {
  readonly size: number;
  readonly stride: number;
}

/**
 * A matrix inside a tensor, as a strided view: element (i, j) lies at
 * offset + Σ iₐ·strideₐ + Σ jᵦ·strideᵦ, where i and j are split over their axes with the last one fastest.
 */
export interface MatrixView {
  readonly part: string | null;
  readonly unfolding: Unfolding;
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly offset: number;
  readonly input: "rows" | "columns" | null;
  /** True for a square recurrent matrix, of which the spectral radius is measured too. */
  readonly recurrent: boolean;
  /** Break-even rank where the scheme's own count is not ⌊mn/(m+n)⌋; null otherwise. */
  readonly breakEvenRank: number | null;
}

/** A matrix in a tensor of the file. */
export interface StoredMatrix {
  readonly tensor: Tensor;
  readonly view: MatrixView;
}

/** A matrix that the file keeps in factors, as adapters are: scale · composite. It is measured through them. */
export interface Factored {
  readonly composite: Composite<StoredMatrix>;
  readonly scale: number;
}

/** A tensor that is a weight, what it does, and the matrices it is measured by (at least one). */
export interface Layer {
  readonly tensor: Tensor;
  /** Of a layer with one view whose tensor is in no file: what it is made of. Left out where the file has the tensor. */
  readonly factored?: Factored;
  readonly kind: LayerKind;
  readonly views: readonly MatrixView[];
  readonly block: string | null;
  readonly module: string;
  readonly notes: readonly string[];
}

/** A tensor's values in row-major order, dequantized. */
export type Values = Float32Array | Float64Array;

/** `count` values from the `start`th on, in the order in which they lie in the file. @throws Fault of `Model.read` */
export type ReadRange = (start: number, count: number) => Promise<Values>;

/** A tensor whose values lie in the file at a fixed distance from each other, so that parts of it can be read. */
export interface Ranges {
  /** Values from one step of each axis to the next; those of a row-major tensor where they lie in that order. */
  readonly strides: readonly number[];
  readonly read: ReadRange;
}

/** An opened model: headers are in memory, values are not. */
export interface Model {
  readonly summary: ModelSummary;
  readonly layers: readonly Layer[];
  /** Every tensor that is not in a layer, with the reason. Nothing vanishes silently. */
  readonly skipped: readonly SkippedTensor[];
  /** All files of the model, the opened one first; the fingerprint is taken over them. */
  readonly files: readonly string[];
  /**
   * Reads and dequantizes one tensor of `layers`, or another that `reads` tells of.
   * @returns values of length Π shape
   * @throws Fault truncated, changed-while-read, unreadable, external-data-missing …
   */
  read(tensor: Tensor): Promise<Values>;
  /** How parts of a tensor are read; null where it can only be read whole. None can where it is left out. */
  readonly ranges?: (tensor: Tensor) => Ranges | null;
  /** Whether `read` takes a tensor of `skipped` too: small factors and scales of adapters. None where it is left out. */
  readonly reads?: (name: string) => boolean;
  /** What the file says of itself, by its own keys; left out where the format has no place for that. */
  readonly metadata?: ReadonlyMap<string, string | number | boolean>;
  close(): Promise<void>;
}

/** A file format: one folder under `src/models`, registered in `formats.ts`. */
export interface Format {
  /** Name of its folder. */
  readonly id: string;
  /** For people: "ONNX", "safetensors". */
  readonly label: string;
  /** Endings of file names, lower case, with the dot (".onnx", ".safetensors.index.json"). */
  readonly endings: readonly string[];
  /** Reads headers only. @throws Fault */
  open(path: string, options: OpenOptions): Promise<Model>;
}

export interface OpenOptions {
  /** Allows ONNX external data outside the model's own folder (refused otherwise). */
  readonly allowExternalDataOutside: boolean;
  /** Tensors with fewer weights are listed as skipped. */
  readonly smallestTensor: number;
}

export const DEFAULT_OPEN_OPTIONS: OpenOptions = { allowExternalDataOutside: false, smallestTensor: 16 };
