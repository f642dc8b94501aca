/**
 * The leading singular triplets of a float32 matrix by the two stages that give its singular values: the short side's
 * vectors are those of the bidiagonal matrix, led back through the reflectors of both stages by products, and the other
 * side's are their images. In float32, but for the bidiagonal matrix: what A loses by the projection is the least possible
 * up to the square of the rounding, as errors of vectors within the leading space do not count, and of others little.
 */
import type { Triplets } from "../svd";
import { BandStorage, bandLength, bandwidth } from "./band";
import { BandReduction } from "./bandReduction";
import { leadingBidiagonalVectors } from "./bidiagonalVectors";
import { TILE_SCRATCH, applyChase, keptLength, spareRows } from "./chaseReflectors";
import { FloatArena } from "./floatArena";
import type { Block, Floats, Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import { KernelModule } from "./kernels";
import { isLong } from "./longSide";
import { ReflectorPanels } from "./reflectorPanels";
import { scaledToModerate } from "./scaling";
import { sumOfSquares } from "../sumOfSquares";
import { transposeInto } from "./transposeInto";
import { negligibleSquare, padTo } from "./twoStage";

/** The last value as part of the largest: float32 leaves three digits of it. */
const SMALLEST = 1e-4;
/** What is left of A, as part of its norm: below, rounding of what is kept (1e-6) counts against it, and float64 does better. */
const LEFT = 1e-3;
/** The norm of a vector's image is its value; one that is further from it, as part of σ₁, shows that something went wrong. */
const IMAGE_ERROR = 5e-6;
/** max |VᵀV − I| that the step of Newton and Schulz brings below the rounding of float32. */
const CORRECTABLE = 1e-3;

/** Memory that stays from matrix to matrix. */
export interface BandMemory {
  /** Of the reductions and their reflectors. */
  readonly stages: KernelModule;
  /** Of the bidiagonal matrix and the vectors. */
  readonly vectors: KernelModule;
  readonly arena: FloatArena;
}

/** @param stages kernels that serve others too, between two matrices */
export function bandMemory(stages: KernelModule): BandMemory {
  return { stages, vectors: new KernelModule(), arena: new FloatArena() };
}

/**
 * @param matrix m × n of finite values, which is left as it is
 * @param count at most min(m, n)
 * @returns null where float32 is not to be trusted, or all are asked for
 */
export function bandTriplets(matrix: Block & { readonly data: Float32Array }, count: number, gemm: Gemm, memory: BandMemory): Triplets | null {
  const { rows, columns } = matrix;
  const { data, frobenius, unscale } = scaledToModerate(matrix.data);
  if (frobenius === 0 || count >= Math.min(rows, columns)) return null;
  const a = { rows, columns, data };
  const found = shortSideVectors(a, frobenius, count, gemm, memory);
  if (found === null || !areTold(found.values, count)) return null;
  // The reductions are done with theirs.
  memory.arena.reset(data.length);
  const near = asOrthonormalRows(found.vectors, count, Math.min(rows, columns), gemm, memory.arena);
  return near === null ? null : withImages(a, near, found.values.subarray(0, count), unscale, gemm, memory.arena);
}

/** Whether float32 tells the leading values and what is left of A from rounding. */
function areTold(values: Float64Array, count: number): boolean {
  const [kept, left] = [sumOfSquares(values.subarray(0, count)), sumOfSquares(values.subarray(count))];
  return values[count - 1]! > SMALLEST * values[0]! && left > LEFT ** 2 * (kept + left);
}

interface ShortSide {
  readonly values: Float64Array;
  /** Short side or more × at least `count`, in the kernels' memory. */
  readonly vectors: Block;
}

function shortSideVectors(a: Block & { readonly data: Float32Array }, frobenius: number, count: number, gemm: Gemm, { stages, vectors: memory, arena }: BandMemory): ShortSide | null {
  arena.reset(a.data.length);
  const { square, unit } = squareOf(a, gemm, stages);
  const b = bandwidth("float32");
  const negligible = negligibleSquare("float32", frobenius / unit);
  const padded = padTo(square, b);
  const order = Math.min(padded.rows, padded.columns);
  const panels = new ReflectorPanels(order, b);
  const work = padded.data === a.data ? arena.take(a.data.length) : padded.data;
  const reduction = new BandReduction(padded, work, gemm, stages, negligible, panels.add);
  reduction.run();
  const rows = spareRows(b);
  const found = reduction.band.data.slice();
  const [band, kept, tile, scratch] = stages.allocate("float32", bandLength(order, b), keptLength(order, b), rows * rows, TILE_SCRATCH * b) as [Float32Array, Float32Array, Float32Array, Float32Array];
  band.set(found);
  const { diagonal, superdiagonal } = new BandStorage(order, b, band).toBidiagonal(stages, scratch, negligible, kept);
  const small = leadingBidiagonalVectors(diagonal, superdiagonal, count, rows, memory);
  if (small === null) return null;
  const vectors = { rows: small.rows, columns: small.columns, data: small.vectors };
  applyChase(kept, order, b, vectors, tile, scratch, gemm, stages);
  panels.apply(vectors, gemm);
  return { values: small.values.map((value) => value * unit), vectors };
}

/** What has the short side's vectors on the side that the reduction keeps: A itself, or the transposed factor of its Gram matrix. */
function squareOf(a: Block & { readonly data: Float32Array }, gemm: Gemm, module: KernelModule): { square: Block; unit: number } {
  if (!isLong(a)) return { square: a, unit: 1 };
  const short = Math.min(a.rows, a.columns);
  const gram = new GramMatrix(short, gemm);
  if (a.rows > a.columns) gram.addRows(a);
  else gram.addColumns(a);
  const { factor, unit } = gram.cholesky(module);
  return { square: { rows: short, columns: short, data: transposeInto(factor.data, short, short, new Float32Array(short * short)) }, unit };
}

/**
 * The first `count` columns as rows of the length, after a step of Newton and Schulz, V ← V − ½ V(VᵀV − I), which takes away what float32
 * left of angles between them. Null where that is too much.
 */
function asOrthonormalRows({ columns, data }: Block, count: number, length: number, gemm: Gemm, arena: FloatArena): Block | null {
  const vectors = { rows: count, columns: length, data: transposeInto(data, length, columns, arena.take(columns * length)).subarray(0, count * length) };
  const gram = { rows: count, columns: count, data: arena.take(count * count) };
  gemm.multiplyTransB(vectors, vectors, gram);
  let most = 0;
  for (let i = 0; i < count; i++) {
    for (let k = i * count; k < (i + 1) * count; k++) {
      const defect = gram.data[k]! - (k === i * (count + 1) ? 1 : 0);
      most = Math.max(most, Math.abs(defect));
      gram.data[k] = 0.5 * defect;
    }
  }
  if (!(most < CORRECTABLE)) return null;
  const before = arena.take(count * length);
  before.set(vectors.data);
  gemm.subtract(gram, { ...vectors, data: before }, vectors);
  for (let k = 0; k < count; k++) normalize(vectors.data.subarray(k * length, (k + 1) * length));
  return vectors;
}

/** The sums of products in float32 leave lengths of 1 ± 1e-6, of which all of A would bear the error. */
function normalize(row: Floats): void {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]! * row[i]!;
  const scale = 1 / Math.sqrt(sum);
  for (let i = 0; i < row.length; i++) row[i]! *= scale;
}

/** The other side's vectors, A v / σ or uᵀA / σ, with σ their norms. */
function withImages(a: Block, near: Block, values: Float64Array, unscale: number, gemm: Gemm, arena: FloatArena): Triplets | null {
  const { rows, columns } = a;
  const rank = values.length;
  if (rows >= columns) {
    const image = arena.take(rows * rank);
    gemm.multiplyTransB(a, near, { rows, columns: rank, data: image });
    const left = doubles(image);
    const sums = new Float64Array(rank);
    for (let at = 0; at < left.length;) for (let k = 0; k < rank; k++, at++) sums[k]! += left[at]! ** 2;
    const norms = sums.map(Math.sqrt);
    if (!areImages(norms, values)) return null;
    for (let at = 0; at < left.length;) for (let k = 0; k < rank; k++, at++) left[at]! /= norms[k]!;
    return { rank, values: norms.map((value) => value * unscale), left, right: doubles(near.data) };
  }
  const image = arena.take(rank * columns);
  gemm.multiply(near, a, { rows: rank, columns, data: image });
  const right = doubles(image);
  const norms = new Float64Array(rank);
  for (let k = 0; k < rank; k++) {
    let sum = 0;
    for (let at = k * columns; at < (k + 1) * columns; at++) sum += right[at]! ** 2;
    norms[k] = Math.sqrt(sum);
    for (let at = k * columns; at < (k + 1) * columns; at++) right[at]! /= norms[k]!;
  }
  if (!areImages(norms, values)) return null;
  return { rank, values: norms.map((value) => value * unscale), left: doubles(transposeInto(near.data, rank, rows, arena.take(rows * rank))), right };
}

function areImages(norms: Float64Array, values: Float64Array): boolean {
  return norms.every((norm, k) => Math.abs(norm - values[k]!) <= IMAGE_ERROR * values[0]!);
}

/** A loop converts faster than a constructor between types. */
function doubles(data: Floats): Float64Array {
  const values = new Float64Array(data.length);
  for (let at = 0; at < data.length; at++) values[at] = data[at]!;
  return values;
}
