/** Moves between the layouts of the reduction: a panel's rows ↔ columns of a wider row-major matrix. */

/** Elements of a side of the squares in which a transposition walks, so that both sides stay in cache. */
const SQUARE = 16;

/** target (columns × rows, row stride targetStride) ← sourceᵀ, source rows × columns with row stride sourceStride; strides in elements. */
export function transpose<T>(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  for (let i0 = 0; i0 < rows; i0 += SQUARE) {
    const i1 = min(i0 + SQUARE, rows);
    for (let j0 = 0; j0 < columns; j0 += SQUARE) {
      const j1 = min(j0 + SQUARE, columns);
      for (let j = j0; j < j1; j++) {
        const to = target + <usize>(j * targetStride) * sizeof<T>();
        const from = source + <usize>j * sizeof<T>();
        for (let i = i0; i < i1; i++) store<T>(to + <usize>i * sizeof<T>(), load<T>(from + <usize>(i * sourceStride) * sizeof<T>()));
      }
    }
  }
}

/** Copies a block of rows × columns between two row strides (in elements); source and target may overlap when the target lies before. */
export function copyBlock<T>(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  const bytes = <usize>columns * sizeof<T>();
  for (let i = 0; i < rows; i++) {
    memory.copy(target + <usize>(i * targetStride) * sizeof<T>(), source + <usize>(i * sourceStride) * sizeof<T>(), bytes);
  }
}
