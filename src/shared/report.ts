import type { PlainFault } from "./fault";

/** What a layer does with its weight. `other`: a tensor of two or more axes whose use is not known. */
export type LayerKind =
  | "linear" | "conv" | "conv_transpose" | "embedding" | "lstm" | "gru" | "rnn"
  | "attention" | "expert" | "adapter" | "other";

/**
 * How a tensor of more than two axes became a matrix. `channel`: out × (in·k…); `spatial`:
 * (in·kh) × (out·kw) (TRP's two decompositions); `depthwise`: channels × (k…); `none`: it was one.
 */
export type Unfolding = "none" | "channel" | "spatial" | "depthwise";

export interface ModelSummary {
  /** Absolute path that was opened (the index file for a sharded checkpoint). */
  readonly path: string;
  /** Identifier of the format, the name of its folder under `src/models`. */
  readonly format: string;
  /** Weights in all tensors, each shared tensor once. */
  readonly parameters: number;
  /** Bytes of all files of the model. */
  readonly bytes: number;
  readonly tensors: number;
  /** Remarks about the file as a whole ("3 shards", "producer pytorch 2.1"). */
  readonly notes: readonly string[];
}

/** One matrix of one layer: what is measured, and a row of the report. */
export interface LayerRow {
  /** Position in the model, 0-based; stable for the same file content. */
  readonly id: number;
  /** Name of the weight tensor. Rows with one name belong to one layer. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Shape and dtype as the file stores them. */
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Weights in this matrix: rows × columns, or those of its factors where the file keeps it in factors. */
  readonly parameters: number;
  /** [rows, columns] of the matrix. */
  readonly matrix: readonly [number, number];
  /** The largest rank that its factors can give; null where the file keeps the matrix itself. `fullRank` is K. */
  readonly factorRank: number | null;
  readonly unfolding: Unfolding;
  /** Which part of the tensor (`q`, `gate:i`, `direction:1/gate:f`, `expert:3`, `group:0`); null for all of it. */
  readonly part: string | null;
  /** Which side of the matrix is the layer's input; null where the file does not say. */
  readonly input: "rows" | "columns" | null;
  /** Place in the model map: the repeated block (`layers.0`), null outside of blocks … */
  readonly block: string | null;
  /** … and what stands there in every block (`self_attn.q_proj`). */
  readonly module: string;
  /** Remarks for a person: "int8, dequantized per axis 0", "also used as lm_head.weight", "depthwise: nothing to gain". */
  readonly notes: readonly string[];
  readonly state: RowState;
  /** Known ahead of `measures`, of large matrices; null where the sweep has not come or is not worth it. */
  readonly first: FirstFigures | null;
  /** Present when state is `done`. */
  readonly measures: Measures | null;
  /** Present when state is `failed`. */
  readonly fault: PlainFault | null;
}

/**
 * Figures of a matrix that are known before its full spectrum: the exact Frobenius norm, and σ₁ by block Krylov
 * iteration, which approaches it from below.
 */
export interface FirstFigures {
  readonly frobeniusNorm: number;
  readonly spectralNorm: number;
  /** ‖W‖_F² / σ₁², an upper bound as σ₁ is a lower one. */
  readonly stableRank: number;
  /** Of σ₁, from the residual of its singular vectors; the stable rank is off by twice as much at most. */
  readonly relativeError: number;
}

export type RowState = "pending" | "computing" | "done" | "failed";

/**
 * All measures of one matrix. Definitions and sources: `src/rank`. Infinite condition numbers are null.
 * K = min(rows, columns), or less where the file keeps the matrix in factors (`fullRank`).
 */
export interface Measures {
  readonly frobeniusNorm: number;
  readonly spectralNorm: number;
  readonly nuclearNorm: number;
  readonly stableRank: number;
  readonly effectiveRank: number;
  readonly participationRatio: number;
  readonly numericalRank: number;
  readonly energyRank: { readonly "0.9": number; readonly "0.95": number; readonly "0.99": number };
  /** effective rank / K. */
  readonly utilization: number;
  /** null: infinite (the smallest singular value is below the numerical tolerance). */
  readonly conditionNumber: number | null;
  /** null where the threshold cannot be placed (median σ no larger than rounding to the stored type may make it). */
  readonly hardThresholdRank: number | null;
  readonly evbmfRank: number;
  /**
   * Singular values above the fitted Marchenko–Pastur bulk, λ₊/λ_max, and the singular value at the bulk's upper edge;
   * null where no bulk can be fitted.
   */
  readonly marchenkoPastur: { readonly spikes: number; readonly softRank: number; readonly edge: number } | null;
  /** Exponent of the eigenvalue tail; null where there are too few eigenvalues. */
  readonly powerLawAlpha: number | null;
  readonly breakEvenRank: number;
  /** Largest |eigenvalue|, of square recurrent matrices only. */
  readonly spectralRadius: number | null;
  /** False when any value is an estimate; then `relativeError` bounds it. */
  readonly exact: boolean;
  readonly relativeError: number | null;
  /**
   * Measures that rounding could tip, by name ("numericalRank", "energyRank0.9", "spikes"): integers whose threshold a
   * singular value meets within 1e-6 relative, and "powerLawAlpha" when two tails fit equally well.
   */
  readonly ties: readonly string[];
  /** Time to read and to compute this matrix, milliseconds. */
  readonly ms: number;
}

export interface SkippedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly reason: string;
}

/** Where an analysis stands. */
export interface Progress {
  readonly path: string;
  readonly state: "idle" | "queued" | "running" | "done" | "cancelled" | "failed";
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Matrices of which only first figures are known. */
  readonly estimated: number;
  /** Names of the matrices being computed now. */
  readonly current: readonly string[];
  readonly elapsedMs: number;
  /** null until there is something to judge by. */
  readonly etaMs: number | null;
  /** Analyses ahead of this one, when queued. */
  readonly ahead: number;
  /** Why the whole analysis failed. */
  readonly fault: PlainFault | null;
}

/** Times of one analysis; parts that came from the cache count as they were measured then. */
export interface Timing {
  readonly totalMs: number;
  readonly readMs: number;
  readonly computeMs: number;
}
