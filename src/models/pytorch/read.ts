import { decode } from "../dtypes";
import type { Ranges, Values } from "../model";
import { readRowMajor, rowMajorStrides, swapBytes } from "../strided";
import type { TensorSource } from "./source";
import type { Quantizer, StoredTensor } from "./tensors";

/** Why the values cannot be read, or null. */
export function problemOf(tensor: StoredTensor, source: TensorSource): string | null {
  if (tensor.problem !== null) return tensor.problem;
  const { storage, quantizer } = tensor;
  if (storage === null) return "its storage is not in the file";
  const own = source.problemOf(storage.key, storage.elements * storage.type.itemSize);
  if (own !== null || quantizer === null || quantizer.axis === null) return own;
  const size = tensor.shape[quantizer.axis];
  for (const [what, numbers] of [["scales", quantizer.scales], ["zero points", quantizer.zeroPoints]] as const) {
    const problem = isStored(numbers) ? problemOf(numbers, source) : null;
    if (problem !== null) return `its ${what} cannot be read: ${problem}`;
    const count = isStored(numbers) ? numbers.shape.reduce((product, axis) => product * axis, 1) : numbers.length;
    if (count !== size) return `it has ${count} ${what} for ${size} channels`;
  }
  return null;
}

/**
 * Π shape values in row-major order, dequantized. The tensor has no problem.
 * @throws Fault of the source
 */
export async function readValues(tensor: StoredTensor, source: TensorSource): Promise<Values> {
  const { type, shape, quantizer } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  const values = decode(type.name, await readStored(tensor, source), count);
  return quantizer === null ? values : dequantized(values, shape, quantizer, source);
}

/** Parts of a tensor, in the order of its storage; null where its scales go by another order, or its storage is packed. */
export function rangesOf(tensor: StoredTensor, source: TensorSource): Ranges | null {
  const { type: { name, itemSize }, storage, quantizer, shape, strides, offset } = tensor;
  if (storage === null || source.isPacked(storage.key) || (quantizer !== null && quantizer.axis !== null)) return null;
  const own = rowMajorStrides(shape);
  return {
    // The stride of an axis of one step says nothing.
    strides: strides.map((stride, axis) => (shape[axis] === 1 ? own[axis]! : stride)),
    read: async (start, count) => {
      const bytes = await source.read(storage.key, (offset + start) * itemSize, count * itemSize);
      const values = decode(name, source.isBigEndian ? swapBytes(bytes, itemSize) : bytes, count);
      return quantizer === null ? values : dequantized(values, shape, quantizer, source);
    },
  };
}

/** The stored numbers as bytes: row-major, little-endian, not dequantized. The tensor has no problem. @throws Fault of the source */
export async function readStored(tensor: StoredTensor, source: TensorSource): Promise<Uint8Array> {
  const { type: { itemSize }, storage } = tensor;
  if (storage === null) throw new Error("a tensor without a storage was read");
  const bytes = await readRowMajor({ ...tensor, itemSize }, (start, length) => source.read(storage.key, start, length));
  return source.isBigEndian ? swapBytes(bytes, itemSize) : bytes;
}

/**
 * (q − zero point) · scale, rounded as PyTorch's dequantize() does (aten/src/ATen/native/quantized/AffineQuantizer.cpp): with one
 * scale for all, and with zero points that are no whole numbers, in float32; otherwise, with a scale of float64 for each
 * channel, once at the end.
 */
async function dequantized(values: Values, shape: readonly number[], quantizer: Quantizer, source: TensorSource): Promise<Float32Array> {
  const out = new Float32Array(values.length);
  if (quantizer.axis === null) {
    const scale = Math.fround(quantizer.scale);
    for (let i = 0; i < out.length; i++) out[i] = Math.fround(values[i]! - quantizer.zeroPoint) * scale;
    return out;
  }
  const [scales, zeroPoints] = [await numbersOf(quantizer.scales, source), await numbersOf(quantizer.zeroPoints, source)];
  const inner = shape.slice(quantizer.axis + 1).reduce((product, size) => product * size, 1), channels = shape[quantizer.axis]!;
  for (let i = 0; i < out.length; i++) {
    const channel = Math.floor(i / inner) % channels;
    const steps = values[i]! - zeroPoints[channel]!;
    out[i] = (quantizer.hasFloatPoints ? Math.fround(steps) : steps) * scales[channel]!;
  }
  return out;
}

async function numbersOf(numbers: readonly number[] | StoredTensor, source: TensorSource): Promise<ArrayLike<number>> {
  return isStored(numbers) ? readValues(numbers, source) : numbers;
}

function isStored(numbers: readonly number[] | StoredTensor): numbers is StoredTensor {
  return "strides" in numbers;
}
