import type { OutputComparison } from "./compare";

export interface Latency {
  readonly medianMs: number;
  readonly p90Ms: number;
}

/** Original and candidate, side by side. */
export interface Verification {
  /** Where the inputs came from: "seeded random inputs of the graph's shapes", or the data's file. */
  readonly inputs: string;
  /** Runs of each model that the outputs are compared over. */
  readonly batches: number;
  readonly outputs: readonly OutputComparison[];
  readonly latency: { readonly original: Latency; readonly candidate: Latency };
  readonly bytes: { readonly original: number; readonly candidate: number };
}

/** Run a model once on seeded inputs, and say which shapes its outputs have. */
export interface ShapesRequest {
  readonly shapesOf: string;
}

export interface Shapes {
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
}

export interface VerifyRequest {
  readonly original: string;
  readonly candidate: string;
  /** .npz or .npy; null for seeded inputs. */
  readonly data: string | null;
}
