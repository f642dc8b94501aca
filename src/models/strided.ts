/** A tensor inside a run of elements, by strides. */
export interface Strided {
  readonly shape: readonly number[];
  /** Elements from one step of each axis to the next, 0 or more. */
  readonly strides: readonly number[];
  /** Elements before the first. */
  readonly offset: number;
  /** Bytes of one element: 1, 2, or a multiple of 4. */
  readonly itemSize: number;
}

/** Reads bytes [start, start + length) of what holds the elements. */
export type ReadRange = (start: number, length: number) => Promise<Uint8Array>;

/** What is read at once of a tensor whose elements lie far apart. */
const SLAB = 64 * 1024 * 1024;

/** One axis that is left after those of size 1 are dropped; `outStride` is its stride in the row-major result. */
interface Step {
  readonly size: number;
  readonly stride: number;
  readonly outStride: number;
}

/** Strides of a row-major tensor. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; stride *= shape[axis]!, axis--) strides[axis] = stride;
  return strides;
}

/** Elements from the first to the last, both included; 0 when there are none. */
export function spanOf({ shape, strides }: Pick<Strided, "shape" | "strides">): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * strides[axis]!, 1);
}

/**
 * The bytes of a strided tensor in row-major order. Holds at most the result, and twice as much or a slab of 64 MiB of what
 * lies around its elements.
 */
export async function readRowMajor(tensor: Strided, read: ReadRange): Promise<Uint8Array> {
  const { shape, strides, offset, itemSize } = tensor;
  const outStrides = rowMajorStrides(shape);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === 0) return new Uint8Array(0);
  const steps = shape.map((size, axis): Step => ({ size, stride: strides[axis]!, outStride: outStrides[axis]! })).filter(({ size }) => size > 1);
  if (steps.every(({ stride, outStride }) => stride === outStride)) return read(offset * itemSize, count * itemSize);
  const out = new Uint8Array(count * itemSize);
  const fits = (inner: readonly Step[]) => lengthOf(inner) * itemSize <= Math.max(SLAB, 2 * inner.reduce((product, { size }) => product * size, itemSize));
  // Widest strides first: what lies between them need not be read at once.
  const byStride = [...steps].sort((a, b) => b.stride - a.stride);
  let outer = 0;
  while (!fits(byStride.slice(outer))) outer++;
  const inner = steps.filter((step) => byStride.indexOf(step) >= outer);
  for (const [from, to] of positions(byStride.slice(0, outer))) {
    const slab = await read((offset + from) * itemSize, lengthOf(inner) * itemSize);
    scatter(slab, out, inner, to, itemSize);
  }
  return out;
}

function lengthOf(steps: readonly Step[]): number {
  return steps.reduce((length, { size, stride }) => length + (size - 1) * stride, 1);
}

/** Source and result positions of all combinations of steps. */
function* positions(steps: readonly Step[]): Generator<readonly [number, number]> {
  const index = new Array<number>(steps.length).fill(0);
  for (;;) {
    yield [steps.reduce((at, { stride }, axis) => at + index[axis]! * stride, 0), steps.reduce((at, { outStride }, axis) => at + index[axis]! * outStride, 0)];
    let axis = steps.length - 1;
    while (axis >= 0 && ++index[axis]! === steps[axis]!.size) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/** Copies elements as words, never as floats: a conversion could change a NaN. */
function scatter(slab: Uint8Array, out: Uint8Array, steps: readonly Step[], to: number, itemSize: number): void {
  const last = steps.at(-1) ?? { size: 1, stride: 1, outStride: 1 };
  const source = words(slab, itemSize), target = words(out, itemSize);
  const perItem = itemSize / source.BYTES_PER_ELEMENT;
  for (const [from, within] of positions(steps.slice(0, -1))) {
    for (let word = 0; word < perItem; word++) {
      let at = from * perItem + word, end = (to + within) * perItem + word;
      for (let i = 0; i < last.size; i++, at += last.stride * perItem, end += last.outStride * perItem) target[end] = source[at]!;
    }
  }
}

function words(bytes: Uint8Array, itemSize: number): Uint8Array | Uint16Array | Uint32Array {
  if (itemSize === 1) return bytes;
  const size = itemSize === 2 ? 2 : 4;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return size === 2 ? new Uint16Array(buffer, byteOffset, byteLength / size) : new Uint32Array(buffer, byteOffset, byteLength / size);
}

/** Reverses the bytes of each element, in place: big-endian elements become little-endian ones. */
export function swapBytes(bytes: Uint8Array, itemSize: number): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (itemSize === 2) buffer.swap16();
  if (itemSize === 4) buffer.swap32();
  if (itemSize === 8) buffer.swap64();
  return bytes;
}
