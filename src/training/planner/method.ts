import type { Estimated } from "../../shared/plannerPage";

/** One adapted matrix, with the rank that the config gives it. */
export interface AdaptedMatrix {
  /** Of the module or stacked parameter. */
  readonly name: string;
  /** Matrices of this size: 1, or the experts stacked in one parameter. */
  readonly copies: number;
  readonly rank: number;
  /** Features of a linear layer; of a convolution, input channels times kernel positions; of an embedding, its rows. */
  readonly inputs: number;
  /** Outputs; of a grouped convolution, those of one group. */
  readonly outputs: number;
  /** Outputs of all groups. */
  readonly allOutputs: number;
  /** Sizes of a convolution's kernel; empty for others. */
  readonly kernel: readonly number[];
  /** Weights in all copies. */
  readonly weights: number;
}

/** What a method's counts depend on. */
export interface PlanContext {
  readonly matrices: readonly AdaptedMatrix[];
  /** Weights of the whole model, shared ones once. */
  readonly parameters: number;
  /** Rank of projected gradients. */
  readonly projectionRank: number;
}

/**
 * A way to train, and what it costs. m: outputs, n: inputs, r: rank, L: layers that share. Counts are for each adapted matrix
 * unless the formula says otherwise.
 */
export interface Method {
  readonly id: string;
  readonly label: string;
  /** `adapter`: few weights beside frozen ones; `full`: all weights; `optimizer`: all weights, with a smaller optimizer state. */
  readonly group: "adapter" | "full" | "optimizer";
  readonly formula: string;
  /** Paper and place, or the code that the formula was read from. */
  readonly source: string;
  readonly url: string;
  /** What rests on a choice that the note names; null: the formula is published, or read from the authors' code. */
  readonly estimated: Estimated | null;
  /** What a person should know of the count; empty when there is nothing. */
  readonly note: string;
  /** Trained numbers, in all. */
  trainable(context: PlanContext): number;
  /** Numbers that the optimizer keeps; twice the trained ones where it is left out (Adam's two moments). */
  states?(context: PlanContext): number;
  /** Bytes of what is saved; left out where that is the trained numbers in float32. */
  saved?(context: PlanContext): number;
}

/** PEFT saves adapters in float32 unless told otherwise. */
export const ADAPTER_BYTES = 4;
/** Models are saved in bfloat16 or float16. */
export const WEIGHT_BYTES = 2;
/** Moments are kept in float32 (torch.optim.AdamW of float32 weights). */
export const STATE_BYTES = 4;

/** Σ over all matrices and their copies. */
export function total(matrices: readonly AdaptedMatrix[], count: (matrix: AdaptedMatrix) => number): number {
  return matrices.reduce((all, matrix) => all + matrix.copies * count(matrix), 0);
}

/** r·(n + m): both factors of LoRA. */
export function lowRank({ rank, inputs, outputs }: AdaptedMatrix): number {
  return rank * (inputs + outputs);
}

/** Matrices of one size and rank, which methods that share factors across layers tie together: q of all layers, say. */
export function tiedGroups(matrices: readonly AdaptedMatrix[]): { readonly shape: AdaptedMatrix; readonly layers: number }[] {
  const groups = new Map<string, { shape: AdaptedMatrix; layers: number }>();
  for (const matrix of matrices) {
    const own = matrix.name.slice(matrix.name.lastIndexOf(".") + 1);
    const key = `${own} ${matrix.inputs}x${matrix.outputs} ${matrix.rank}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { shape: matrix, layers: matrix.copies });
    else group.layers += matrix.copies;
  }
  return [...groups.values()];
}
