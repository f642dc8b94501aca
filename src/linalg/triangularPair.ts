export interface Pair {
  readonly larger: number;
  readonly smaller: number;
}

/** Singular values of [f g; 0 h], to nearly full relative accuracy and without overflow (LAPACK's dlas2). */
export function triangularPair(f: number, g: number, h: number): Pair {
  const off = Math.abs(g);
  const [low, high] = Math.abs(f) < Math.abs(h) ? [Math.abs(f), Math.abs(h)] : [Math.abs(h), Math.abs(f)];
  if (low === 0) return { larger: Math.hypot(high, off), smaller: 0 };
  const sum = 1 + low / high;
  const difference = (high - low) / high;
  if (off < high) {
    const square = (off / high) ** 2;
    const c = 2 / (Math.sqrt(sum * sum + square) + Math.sqrt(difference * difference + square));
    return { larger: high / c, smaller: low * c };
  }
  const ratio = high / off;
  // The ratio underflows only when g dwarfs both others: then the product of the values, f·h, over g.
  if (ratio === 0) return { larger: off, smaller: (low * high) / off };
  const c = 1 / (Math.sqrt(1 + (sum * ratio) ** 2) + Math.sqrt(1 + (difference * ratio) ** 2));
  return { larger: off / (c + c), smaller: 2 * (low * c) * ratio };
}
