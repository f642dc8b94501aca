/** σ₁ of a matrix that is read in blocks of rows: the block Krylov iteration of topK.ts, which stops when its bound is small. */
import { blocksOf, type RowSource } from "../rowSource";
import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { scaleToModerate } from "./scaling";
import { symmetricEigen } from "./symmetricEigen";
import { BLOCK, STEPS, fillStart, like, norm2, orthonormalize, zeros } from "./topK";

/** Every step reads the file: there are no more once the bound is this part of σ₁. */
const ENOUGH = 1e-5;
/** Rounding of a product with AᵀA in float32, as part of σ₁². */
const PRODUCT_ROUNDING = 8e-7;

/**
 * σ₁ from below, and how far from a singular value it may lie at most.
 * @param source of finite values, which are rounded to float32 where they are float64; at least BLOCK · STEPS columns
 */
export async function leadingOfBlocks(source: RowSource, gemm: Gemm, module: KernelModule): Promise<{ readonly value: number; readonly error: number }> {
  const { columns } = source;
  const basis = zeros(BLOCK * STEPS, columns);
  const images = zeros(BLOCK * STEPS, columns);
  fillStart(basis.data.subarray(0, BLOCK * columns));
  let best = { value: 0, error: 0 };
  for (let step = 0; step < STEPS; step++) {
    const known = step * BLOCK;
    const fresh = rowsOf(basis, known, BLOCK);
    orthonormalize(fresh, rowsOf(basis, 0, known), gemm, module);
    const image = rowsOf(images, known, BLOCK);
    await applyGram(source, fresh, image, gemm);
    best = largestPair(rowsOf(basis, 0, known + BLOCK), rowsOf(images, 0, known + BLOCK), gemm, module);
    if (best.error <= ENOUGH * best.value || step === STEPS - 1) break;
    basis.data.set(image.data, (known + BLOCK) * columns);
  }
  return best;
}

/** image ← each row of `vectors` times AᵀA, in one pass over A. */
async function applyGram(source: RowSource, vectors: Block, image: Block, gemm: Gemm): Promise<void> {
  const sent: Block = { ...vectors, data: Float32Array.from(vectors.data) };
  const part: Block = { ...vectors, data: new Float32Array(vectors.data.length) };
  for await (const read of blocksOf(source)) {
    const { unscale } = scaleToModerate(read.data);
    const block: Block = { ...read, data: read.data instanceof Float32Array ? read.data : Float32Array.from(read.data) };
    const product: Block = { rows: block.rows, columns: BLOCK, data: like(block.data, block.rows * BLOCK) };
    gemm.multiplyTransB(block, sent, product);
    const turned: Block = { rows: BLOCK, columns: block.rows, data: like(block.data, block.rows * BLOCK) };
    for (let i = 0; i < block.rows; i++) for (let j = 0; j < BLOCK; j++) turned.data[j * block.rows + i] = product.data[i * BLOCK + j]!;
    gemm.multiply(turned, block, part);
    for (let k = 0; k < part.data.length; k++) image.data[k]! += part.data[k]! * unscale * unscale;
  }
}

/**
 * Rayleigh and Ritz: the largest θ of AᵀA in the space. With r = AᵀA v − θ v an eigenvalue lies within ‖r‖ of θ, so a
 * singular value lies within ‖r‖/√θ of √θ.
 */
function largestPair(basis: Block, images: Block, gemm: Gemm, module: KernelModule): { value: number; error: number } {
  const { rows: count, columns } = basis;
  const projected = zeros(count, count);
  gemm.multiplyTransB(basis, images, projected);
  const { values, vectors } = symmetricEigen(projected.data, count, gemm, module);
  const theta = Math.max(0, values[count - 1]!);
  if (theta === 0) return { value: 0, error: 0 };
  const weights: Block = { rows: 1, columns: count, data: vectors.subarray((count - 1) * count) };
  const [vector, image] = [zeros(1, columns), zeros(1, columns)];
  gemm.multiply(weights, basis, vector);
  gemm.multiply(weights, images, image);
  const residual = norm2(image.data.map((entry, i) => entry - theta * vector.data[i]!));
  return { value: Math.sqrt(theta), error: (residual + PRODUCT_ROUNDING * theta) / Math.sqrt(theta) };
}

function rowsOf({ columns, data }: Block, first: number, count: number): Block {
  return { rows: count, columns, data: data.subarray(first * columns, (first + count) * columns) };
}
