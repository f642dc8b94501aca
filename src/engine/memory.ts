/** Estimates of the memory that a compute process takes at its peak, for the schedule. */
import { totalmem } from "node:os";
import { KEPT_VALUES, SHORT_SIDE_ASPECT, isLong } from "../linalg/fast/longSide";
import { decodesToFloat64 } from "../models/dtypes";
import { LARGE_VALUES } from "./rowReading";

/** Rows and columns. */
type Size = readonly [number, number];

/** A compute process before it has any matrix: Node, ONNX Runtime, the kernels, and what is not yet given back. Measured: 130 to 170 MB. */
const PROCESS_BYTES = 192 * 2 ** 20;
/** What the solver keeps of panels and deferred updates for each row and column. */
const SIDE_BYTES = 3072;
/** Blocks of rows as stored and as decoded, the one in work and those that are not yet given back. */
const BLOCK_BYTES = 128 * 2 ** 20;
/** Three triangular factors in float64, as the solver makes them where float32 blurs: `BlockedFactor`. */
const FACTOR_BYTES = 24;
/** Float32 matrices of a smaller side are computed in float64: `spectrumSolver`. */
const FLOAT32_FROM = 512;

/** Bytes of a value as it is stored, beside its decoded form. */
const storedBytes = (dtype: string): number => (dtype === "float32" || decodesToFloat64(dtype) ? 4 : 2);
const valueBytes = (dtype: string): number => (decodesToFloat64(dtype) ? 8 : 4);

/** Of a layer whose tensor is read whole, while it has one of its matrices computed. */
export function bytesOfWhole(weights: number, [rows, columns]: Size, dtype: string): number {
  const values = rows * columns;
  // A matrix that is not all of the tensor is copied out.
  const tensor = weights * (storedBytes(dtype) + valueBytes(dtype)) + (values < weights ? values * valueBytes(dtype) : 0);
  return PROCESS_BYTES + tensor + solverBytes([rows, columns], dtype);
}

/** Of a matrix that is read by its rows; of one that is read by its columns, with its sides exchanged. */
export function bytesByRows([rows, columns]: Size, dtype: string): number {
  const values = rows * columns;
  if (values <= LARGE_VALUES) return bytesOfWhole(values, [rows, columns], dtype);
  const base = PROCESS_BYTES + BLOCK_BYTES + SIDE_BYTES * (rows + columns);
  const factor = FACTOR_BYTES * Math.min(rows, columns) ** 2;
  if (rows > SHORT_SIDE_ASPECT * columns) return base + factor - SIDE_BYTES * rows;
  if (columns > SHORT_SIDE_ASPECT * rows) return base + values * (rows >= FLOAT32_FROM ? 4 : 16) + factor;
  // In place, at last in float64.
  return base + values * 8;
}

/** What the solver takes beside the values: work storage in float32, and the float64 of a second computation where that blurs. */
function solverBytes([rows, columns]: Size, dtype: string): number {
  const [short, values] = [Math.min(rows, columns), rows * columns];
  const long = isLong({ rows, columns });
  const sides = SIDE_BYTES * (rows + columns);
  if (decodesToFloat64(dtype)) return sides + values * 8 + (long ? 8 * short ** 2 : 0);
  if (short < FLOAT32_FROM) return sides + values * (long ? 16 : 8);
  if (!long) return sides + values * (4 + 8);
  // A copy that is reduced to a factor, or less than that in blocks of which a Gram matrix is made.
  const work = values > KEPT_VALUES ? 0 : values * 4;
  return sides + work + FACTOR_BYTES * short ** 2;
}

/** Part of the machine's memory that compute processes share by default; a layer that needs more still runs, alone. */
const MEMORY_SHARE = 0.25;

/**
 * Bytes that the compute processes may use together; respects a container's limit where Node knows it.
 * @param megabytes what a person allows; 0: a quarter of what there is
 */
export function memoryBudget(megabytes: number): number {
  if (megabytes > 0) return megabytes * 2 ** 20;
  const limit = process.constrainedMemory?.() ?? 0;
  return MEMORY_SHARE * (limit > 0 ? Math.min(limit, totalmem()) : totalmem());
}
