/** What the WebAssembly module exports: each kernel in float32 and float64. Memory is handed out by the caller. */
import { chaseBand } from "./chase";
import { copyBlock, transpose } from "./layout";
import { factorPanel } from "./panel";

export { choleskyBlock } from "./cholesky";
export { chaseTile } from "./chaseTile";
export { bidiagonalize } from "./direct";
export { transformQd, transformQdTwice } from "./qd";
export { twistedVectors } from "./twisted";
export { pendingColumn, subtractPending, symmetricTimes } from "./tridiagonal";

export function factorPanel32(vectors: usize, count: i32, length: i32, offset: i32, factor: usize, taus: usize, negligible: f32): void {
  factorPanel<f32>(vectors, count, length, offset, factor, taus, negligible);
}
export function factorPanel64(vectors: usize, count: i32, length: i32, offset: i32, factor: usize, taus: usize, negligible: f64): void {
  factorPanel<f64>(vectors, count, length, offset, factor, taus, negligible);
}
export function chaseBand32(band: usize, n: i32, scratch: usize, negligible: f32, kept: usize): void {
  chaseBand<f32>(band, n, scratch, negligible, kept);
}
export function chaseBand64(band: usize, n: i32, scratch: usize, negligible: f64, kept: usize): void {
  chaseBand<f64>(band, n, scratch, negligible, kept);
}
export function transpose32(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  transpose<f32>(source, rows, columns, sourceStride, target, targetStride);
}
export function transpose64(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  transpose<f64>(source, rows, columns, sourceStride, target, targetStride);
}
export function copyBlock32(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  copyBlock<f32>(source, rows, columns, sourceStride, target, targetStride);
}
export function copyBlock64(source: usize, rows: i32, columns: i32, sourceStride: i32, target: usize, targetStride: i32): void {
  copyBlock<f64>(source, rows, columns, sourceStride, target, targetStride);
}
