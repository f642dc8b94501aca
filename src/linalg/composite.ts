/**
 * A matrix that is written down as an expression of smaller ones, as adapters are: it is measured through them, and
 * formed only where nothing else is cheaper.
 */
export type Composite<Leaf> =
  | { readonly op: "matrix"; readonly leaf: Leaf }
  /** diag(v) of a leaf with n entries. */
  | { readonly op: "diagonal"; readonly leaf: Leaf }
  | { readonly op: "identity"; readonly size: number }
  /** F₁·F₂·…, from left to right; at least one. */
  | { readonly op: "product"; readonly factors: readonly Composite<Leaf>[] }
  /** Entry by entry. */
  | { readonly op: "hadamard"; readonly factors: readonly [Composite<Leaf>, Composite<Leaf>] }
  | { readonly op: "kronecker"; readonly factors: readonly [Composite<Leaf>, Composite<Leaf>] };

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Rows and columns; null where the sizes of the factors do not fit each other. */
export function sizeOf(composite: Composite<Size>): Size | null {
  switch (composite.op) {
    case "matrix": return composite.leaf;
    case "diagonal": return square(composite.leaf.rows * composite.leaf.columns);
    case "identity": return square(composite.size);
    case "product": return composite.factors.map(sizeOf).reduce((left, right) =>
      (left !== null && right !== null && left.columns === right.rows ? { rows: left.rows, columns: right.columns } : null));
    case "hadamard": {
      const [a, b] = sizesOf(composite.factors);
      return a !== null && b !== null && a.rows === b.rows && a.columns === b.columns ? a : null;
    }
    case "kronecker": {
      const [a, b] = sizesOf(composite.factors);
      return a !== null && b !== null ? { rows: a.rows * b.rows, columns: a.columns * b.columns } : null;
    }
  }
}

/** The largest rank that the matrix can have, whatever the values: K of its measures. */
export function fullRankOf(composite: Composite<Size>): number {
  const size = sizeOf(composite);
  return size === null ? 0 : Math.min(size.rows, size.columns, innerRankOf(composite));
}

function innerRankOf(composite: Composite<Size>): number {
  switch (composite.op) {
    case "matrix": case "diagonal": case "identity": return Infinity;
    case "product": return Math.min(...composite.factors.map(fullRankOf));
    // rank(A ∘ B) ≤ rank A · rank B, as A ∘ B is a submatrix of A ⊗ B.
    case "hadamard": case "kronecker": return fullRankOf(composite.factors[0]) * fullRankOf(composite.factors[1]);
  }
}

/** All leaves, from left to right. */
export function leavesOf<Leaf>(composite: Composite<Leaf>): Leaf[] {
  switch (composite.op) {
    case "matrix": case "diagonal": return [composite.leaf];
    case "identity": return [];
    case "product": case "hadamard": case "kronecker": return composite.factors.flatMap(leavesOf);
  }
}

/** The same expression over other leaves. */
export function mapLeaves<From, To>(composite: Composite<From>, to: (leaf: From) => To): Composite<To> {
  const inner = (factor: Composite<From>): Composite<To> => mapLeaves(factor, to);
  switch (composite.op) {
    case "matrix": case "diagonal": return { op: composite.op, leaf: to(composite.leaf) };
    case "identity": return composite;
    case "product": return { op: "product", factors: composite.factors.map(inner) };
    case "hadamard": case "kronecker": return { op: composite.op, factors: [inner(composite.factors[0]), inner(composite.factors[1])] };
  }
}

function square(size: number): Size {
  return { rows: size, columns: size };
}

function sizesOf([a, b]: readonly [Composite<Size>, Composite<Size>]): readonly [Size | null, Size | null] {
  return [sizeOf(a), sizeOf(b)];
}
