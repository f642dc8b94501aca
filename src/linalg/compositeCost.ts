import { fullRankOf, sizeOf, type Composite, type Size } from "./composite";
import { estimateCost } from "./exactSolver";

/** Relative time of a composite's spectrum, in the unit of `estimateCost`. */
export function estimateCompositeCost(composite: Composite<Size>): number {
  switch (composite.op) {
    // Each factor is reduced to a triangle, which takes about as long as its own spectrum.
    case "matrix": return estimateCost(composite.leaf.rows, composite.leaf.columns);
    case "diagonal": case "identity": return 0;
    case "product": case "kronecker": return composite.factors.reduce((sum, factor) => sum + estimateCompositeCost(factor), 0);
    case "hadamard": {
      const { rows, columns } = sizeOf(composite) ?? { rows: 0, columns: 0 };
      const rank = fullRankOf(composite);
      return estimateCost(rows, rank) + estimateCost(columns, rank);
    }
  }
}

/** Entries of the largest matrix that is formed on the way. */
export function mostEntries(composite: Composite<Size>): number {
  switch (composite.op) {
    case "matrix": return composite.leaf.rows * composite.leaf.columns;
    case "diagonal": case "identity": return 0;
    case "product": case "kronecker": return Math.max(...composite.factors.map(mostEntries));
    case "hadamard": {
      const { rows, columns } = sizeOf(composite) ?? { rows: 0, columns: 0 };
      return Math.max(rows, columns) * fullRankOf(composite);
    }
  }
}
