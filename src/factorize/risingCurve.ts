export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/**
 * The curve through measured points: linear between them, level beyond, and never falling. Where noise makes it fall,
 * neighbours take their mean (pooled adjacent violators: Ayer et al., 1955).
 * @param points at least one
 */
export function risingCurve(points: readonly CurvePoint[]): (x: number) => number {
  const risen = rising([...points].sort((a, b) => a.x - b.x));
  return (x) => {
    const after = risen.findIndex((point) => point.x >= x);
    if (after <= 0) return risen[after === 0 ? 0 : risen.length - 1]!.y;
    const [low, high] = [risen[after - 1]!, risen[after]!];
    return low.y + ((x - low.x) / (high.x - low.x)) * (high.y - low.y);
  };
}

function rising(points: readonly CurvePoint[]): CurvePoint[] {
  const pools: { sum: number; count: number }[] = [];
  for (const { y } of points) {
    let pool = { sum: y, count: 1 };
    for (let before = pools.at(-1); before !== undefined && before.sum / before.count > pool.sum / pool.count; before = pools.at(-1)) {
      pools.pop();
      pool = { sum: pool.sum + before.sum, count: pool.count + before.count };
    }
    pools.push(pool);
  }
  const levels = pools.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
  return points.map(({ x }, index) => ({ x, y: levels[index]! }));
}
