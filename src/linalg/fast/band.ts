/** Storage of the band between the two stages. */
import type { Floats } from "./gemm";
import type { ElementType } from "../matrix";
import type { KernelModule } from "./kernels";

/** Superdiagonals of the band: what fills eight SIMD registers, so that a reflector of the second stage stays in them. */
export function bandwidth(type: ElementType): number {
  return type === "float32" ? 32 : 16;
}

/**
 * Elements that `BandStorage` takes for a band of the order. From row to row the window moves one column on, so a row
 * takes one more than its stride; the chase runs up to 2B rows over the end.
 */
export function bandLength(order: number, b: number): number {
  return (order + 3 * b) * (3 * b + 1);
}

/** An upper band matrix; (i, j) lies where the kernel of the second stage wants it (wasm/chase.ts). */
export class BandStorage {
  private readonly stride: number;
  constructor(readonly order: number, readonly b: number, readonly data: Floats) {
    this.stride = 3 * b;
  }

  /** The diagonal block at (k, k): upper triangular, from a factor whose row j holds entries 0 … j of its column j. */
  setDiagonal(k: number, factor: Floats): void {
    const { b, stride, data } = this;
    for (let j = 0; j < b; j++) for (let i = 0; i <= j; i++) data[(k + i) * stride + k + j + b] = factor[j * b + i]!;
  }

  /** The block right of it at (k, k + b): lower triangular, from a factor whose row j is its row j. */
  setBeside(k: number, factor: Floats): void {
    const { b, stride, data } = this;
    for (let j = 0; j < b; j++) for (let i = 0; i <= j; i++) data[(k + j) * stride + k + b + i + b] = factor[j * b + i]!;
  }

  /** Reduces to bidiagonal form in place; both diagonals in float64. @param kept takes the reflectors of the right side (chaseReflectors.ts) */
  toBidiagonal(module: KernelModule, scratch: Floats, negligible: number, kept?: Floats): { diagonal: Float64Array; superdiagonal: Float64Array } {
    const { order, b, stride, data } = this;
    module.of(data instanceof Float32Array ? "float32" : "float64").chaseBand(data.byteOffset, order, scratch.byteOffset, negligible, kept?.byteOffset ?? 0);
    const diagonal = Float64Array.from({ length: order }, (_, i) => data[i * stride + i + b]!);
    const superdiagonal = Float64Array.from({ length: order - 1 }, (_, i) => data[i * stride + i + 1 + b]!);
    return { diagonal, superdiagonal };
  }
}
