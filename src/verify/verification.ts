import type { WholeLatency } from "../factorize/latency";
import type { MicroModel } from "../factorize/micro";
import type { OutputComparison } from "./compare";

export interface Latency {
  readonly medianMs: number;
  readonly p90Ms: number;
}

/** Original and candidate, side by side. */
export interface Verification {
  /** Where the inputs came from: "seeded random inputs of the graph's shapes, open axes of length 256", or the data's file. */
  readonly inputs: string;
  /** Runs of each model that the outputs are compared over. */
  readonly batches: number;
  readonly outputs: readonly OutputComparison[];
  readonly latency: { readonly original: Latency; readonly candidate: Latency };
  /** On the disk, all files together. */
  readonly bytes: { readonly original: number; readonly candidate: number };
  /** Bytes, to load a model and run it once in a process of its own; left out where it could not be measured. */
  readonly peakMemory?: { readonly original: number; readonly candidate: number };
}

/** A model without a graph and what was written of it, layer by layer. */
export interface WeightVerification {
  /** "seeded Gaussian inputs, as the file holds no graph to run": real ones may fare better or worse. */
  readonly inputs: string;
  /** √(Σ‖(W − Ŵ)x‖² / Σ‖Wx‖²) of every layer whose values changed. */
  readonly layers: readonly { readonly name: string; readonly relativeError: number }[];
  readonly bytes: { readonly original: number; readonly candidate: number };
}

/** Of a model's inputs and outputs, by name. */
export interface Shapes {
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
  /** Of the nodes that were asked for: every time that each ran. */
  readonly runs: ReadonlyMap<string, readonly NodeRun[]>;
}

/** The shapes that a node had in one run of it: of the inputs that it has, in order, and of its outputs. */
export interface NodeRun {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** Of several medians of one model, apart in time, the least counts: something else on the machine slows some of them. */
export const ROUNDS = 2;

export interface LatencyRequest {
  /** Of the whole model. */
  readonly path: string;
  /** Each by the models whose times are summed. */
  readonly trials: readonly (readonly MicroModel[])[];
}

/** Medians in milliseconds. */
export interface Latencies {
  readonly whole: WholeLatency;
  /** Without what a run of nothing takes; null for what does not run alone. */
  readonly trials: readonly (number | null)[];
}

export interface MemoryRequest {
  readonly path: string;
  /** As for a `VerifyRequest`. */
  readonly data: string | null;
}

export interface VerifyRequest {
  readonly original: string;
  readonly candidate: string;
  /** .npz or .npy, ONNX test data (.pb, or a folder of it); null for seeded inputs. */
  readonly data: string | null;
}
