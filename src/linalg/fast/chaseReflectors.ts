/** The reflectors of the second stage: from the bidiagonal matrix's right side back to the band's. */
import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";

/** A tile joins the reflectors of so many reflectors' widths of sweeps, and of as many steps. */
const SIDE = 2;
/** Rows and columns of a tile, in widths of a reflector. */
const WIDTHS = 4;
/** What making a tile takes beside it, in widths of a reflector. */
export const TILE_SCRATCH = 5;

/** Elements of what the chase keeps for a band of the order: those of sweep j at step t, in blocks of b sweeps (wasm/chase.ts). */
export function keptLength(order: number, b: number): number {
  const blocks = order / b;
  return ((blocks * (blocks + 1)) / 2) * b * b;
}

/** Rows that vectors need after their own: tiles at the edge run over the end. */
export function spareRows(b: number): number {
  return WIDTHS * b;
}

/**
 * y ← H₀ H₁ … y for the columns of y (order + spare rows × any, row-major), H being all reflectors in the order in which they
 * were made. Tiles of later sweeps come first, those of one group of sweeps from the top.
 * @param kept in the memory of the module, and so are the tile (spareRows(b)²) and the scratch (TILE_SCRATCH · b)
 */
export function applyChase(kept: Float32Array, order: number, b: number, { columns, data }: Block, tile: Float32Array, scratch: Float32Array, gemm: Gemm, module: KernelModule): void {
  const blocks = order / b;
  const size = WIDTHS * b;
  const result = { rows: size, columns, data: new Float32Array(size * columns) };
  for (let group = Math.floor((blocks - 1) / SIDE) * SIDE; group >= 0; group -= SIDE) {
    for (let step = 0; step < blocks - group; step += SIDE) {
      module.chaseTile(kept.byteOffset, blocks, group * b, step, tile.byteOffset, scratch.byteOffset);
      const start = ((group + step) * b + 1) * columns;
      const rows = { rows: size, columns, data: data.subarray(start, start + size * columns) };
      gemm.multiply({ rows: size, columns: size, data: tile }, rows, result);
      rows.data.set(result.data);
    }
  }
}
