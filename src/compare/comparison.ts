import type { LayerKind, Unfolding } from "../shared/report";

/** The change of one matrix of a layer, Δ = B − A, or what an adapter adds to it. */
export interface MatrixDifference {
  /** Of the layer in B. */
  readonly name: string;
  /** Of the layer in A; null where an adapter's own is not found there. */
  readonly baseName: string | null;
  readonly kind: LayerKind;
  readonly shape: readonly number[];
  /** Stored types, in A (null as above) and in B. */
  readonly dtypes: readonly [string | null, string];
  readonly part: string | null;
  readonly unfolding: Unfolding;
  readonly matrix: readonly [number, number];
  /** The largest rank that Δ can have: the smaller side, of an adapter its own rank. */
  readonly fullRank: number;
  readonly frobeniusNorm: number;
  /** ‖Δ‖_F / ‖A‖_F; null where A has no such layer, or a zero one. */
  readonly relativeNorm: number | null;
  readonly spectralNorm: number;
  readonly stableRank: number;
  readonly effectiveRank: number;
  /** The smallest k with Σ_{i≤k} σ² ≥ share · Σσ², of Δ. */
  readonly energyRank: { readonly "0.9": number; readonly "0.95": number; readonly "0.99": number };
  /** ‖Δ‖_F is no larger than the rounding of the coarser of the two types: it may be nothing else. */
  readonly withinRounding: boolean;
  /** Of an adapter: its scale, and what was left out. */
  readonly notes: readonly string[];
}

export interface ComparedModel {
  readonly path: string;
  readonly format: string;
  readonly parameters: number;
}

export interface ListedLayer {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Two models, layer by layer. */
export interface Comparison {
  readonly a: ComparedModel;
  readonly b: ComparedModel;
  /** Whether B holds adapters, measured by themselves. */
  readonly adapter: boolean;
  readonly layers: readonly MatrixDifference[];
  /** Where B is an adapter: empty; what it leaves alone is only counted. */
  readonly onlyInA: readonly ListedLayer[];
  readonly onlyInB: readonly ListedLayer[];
  readonly shapesDiffer: readonly { readonly name: string; readonly shapes: readonly [readonly number[], readonly number[]] }[];
  /** Layers of A that an adapter leaves alone. */
  readonly untouched: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** Shares of layers and of energy that a single rank is told for. */
export const MOST = 0.9;

/**
 * The smallest rank that keeps 90 % of the energy of the difference in 90 % of the layers.
 * @param ranks energy ranks at 0.9, one for each layer
 * @returns 0 without layers
 */
export function rankForMost(ranks: readonly number[]): number {
  return [...ranks].sort((a, b) => a - b)[Math.ceil(MOST * ranks.length) - 1] ?? 0;
}

/** Of each layer the first matrix that is all of it: the one that a single adapter of the layer would be. */
export function wholeLayers(layers: readonly MatrixDifference[]): MatrixDifference[] {
  const seen = new Set<string>();
  return layers.filter(({ name, matrix: [rows, columns], shape }) => {
    if (seen.has(name) || rows * columns !== shape.reduce((product, size) => product * size, 1)) return false;
    seen.add(name);
    return true;
  });
}
