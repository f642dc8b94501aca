import { fullRankOf, leavesOf, mapLeaves, type Composite, type Size } from "../linalg/composite";
import type { Matrix } from "../linalg/matrix";
import { gather, matrixSize } from "../models/gather";
import type { Factored, Model, StoredMatrix } from "../models/model";
import { assertFinite } from "./finite";

/** The factors' own values. @throws Fault of `Model.read`, not-finite */
export async function readFactors(model: Model, { composite }: Factored): Promise<Composite<Matrix>> {
  const matrices = new Map<StoredMatrix, Matrix>();
  for (const leaf of leavesOf(composite)) {
    const matrix = gather(leaf.view, await model.read(leaf.tensor));
    assertFinite(matrix.data, leaf.tensor.name);
    matrices.set(leaf, matrix);
  }
  return mapLeaves(composite, (leaf) => matrices.get(leaf)!);
}

export function factorSizes({ composite }: Factored): Composite<Size> {
  return mapLeaves(composite, ({ view }) => matrixSize(view));
}

/** Weights that the file stores for it. */
export function factorWeights({ composite }: Factored): number {
  return leavesOf(composite).reduce((sum, { tensor }) => sum + tensor.shape.reduce((product, size) => product * size, 1), 0);
}

/** K of its measures: the largest rank that the factors can give. */
export function factorRank(factored: Factored): number {
  return fullRankOf(factorSizes(factored));
}
