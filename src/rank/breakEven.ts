/** ⌊mn/(m + n)⌋: strictly below it two factors m × r and r × n have fewer weights than the m × n matrix. */
export function breakEvenRank(rows: number, columns: number): number {
  return rows + columns === 0 ? 0 : Math.floor((rows * columns) / (rows + columns));
}
