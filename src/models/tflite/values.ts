import { decode } from "../dtypes";
import type { Values } from "../model";
import type { PagedBytes } from "../pagedBytes";
import type { Constant, Quantization } from "./graph";

/** Π shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Why a constant's values cannot be read; null when they can. */
export function whyUnread({ shape, type, bytes, quantization, isSparse }: Constant): string | null {
  const bound = elementsOf(shape.map((size) => Math.max(1, size))) * Math.max(8, type.bits);
  if (shape.some((size) => size < 0)) return `its shape, [${shape.join(", ")}], is not fixed`;
  if (!(bound <= Number.MAX_SAFE_INTEGER)) return `its shape, [${shape.join(", ")}], has too large a product`;
  if (isSparse) return "sparse: packed in a way that RankLens does not read";
  if (type.bits > 0 && Math.ceil((elementsOf(shape) * type.bits) / 8) !== bytes) return `its ${bytes} bytes are not those of its shape, [${shape.join(", ")}]`;
  if (type.use !== "quantized" || quantization === null) return null;
  const { scales, zeroPoints, axis } = quantization;
  const fits = (count: number) => count === 1 || (shape[axis] !== undefined && count === shape[axis]);
  return fits(scales.length) && (zeroPoints.length === 0 || fits(zeroPoints.length)) ? null : `its ${scales.length} scales do not fit axis ${axis} of [${shape.join(", ")}]`;
}

/** Π shape values in row-major order: floats as they are, integers as (q − zero point) · scale in float32. */
export async function readValues(file: PagedBytes, constant: Constant): Promise<Values> {
  const { begin, bytes, type, shape, quantization } = constant;
  const values = decode(type.name, await file.values(begin, bytes), elementsOf(shape));
  return type.use === "quantized" && quantization !== null ? dequantized(values, shape, quantization) : values;
}

function dequantized(values: Values, shape: readonly number[], { scales, zeroPoints, axis }: Quantization): Float32Array {
  const out = new Float32Array(values.length);
  const inner = elementsOf(shape.slice(axis + 1)), size = shape[axis] ?? 1;
  for (let at = 0; at < values.length; at++) {
    const index = Math.floor(at / inner) % size;
    const zero = zeroPoints[zeroPoints.length > 1 ? index : 0] ?? 0;
    out[at] = Math.fround(values[at]! - zero) * (scales[scales.length > 1 ? index : 0] ?? 1);
  }
  return out;
}
