import type { Activation, TakenRows } from "./taken";

/** Where a convolution's kernel lies on its input, axis by axis; sizes without batch and channels. */
export interface Patches {
  readonly op: "conv" | "conv_transpose";
  readonly groups: number;
  /** Input channels of each group. */
  readonly channels: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Of the beginning of each axis, then of the end; of transposed convolutions what is cut off. Unused where `autoPad` says it. */
  readonly pads: readonly number[];
  /** ONNX's auto_pad. */
  readonly autoPad: "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";
  readonly outputPadding: readonly number[];
}

/** Rows that are gathered at a time. */
const ROWS = 512;

/**
 * The inputs of the unfolding out × (in · k…): for each position of the output the values under the kernel, in (channel,
 * k…) order, with zeros where it lies on padding, or, transposed, between positions of the input.
 * @param activation (batch, channels, sizes…)
 */
export function patchRows(patches: Patches, { shape, values }: Activation): Iterable<TakenRows> | null {
  const { groups, channels, kernel } = patches;
  const sizes = shape.slice(2);
  if (sizes.length !== kernel.length || shape[1] !== groups * channels) return null;
  return gathered(patches, shape[0]!, sizes, values);
}

function* gathered(patches: Patches, batch: number, sizes: readonly number[], values: Activation["values"]): Generator<TakenRows> {
  const { groups, channels, kernel } = patches;
  const axes = sizes.map((size, axis) => axisTable(patches, axis, size));
  const outputs = product(axes.map(({ length }) => length)), positions = product(kernel), plane = product(sizes);
  const width = channels * positions;
  const offsets = new Int32Array(positions);
  for (let group = 0; group < groups; group++) {
    let data = new Float64Array(Math.min(ROWS, batch * outputs) * width);
    let count = 0;
    for (let item = 0; item < batch; item++) {
      const first = (item * groups + group) * channels * plane;
      for (let output = 0; output < outputs; output++) {
        offsetsAt(output, axes, sizes, offsets);
        let to = count * width;
        for (let channel = 0; channel < channels; channel++) {
          const from = first + channel * plane;
          for (let at = 0; at < positions; at++) data[to++] = offsets[at]! < 0 ? 0 : values[from + offsets[at]!]!;
        }
        if (++count < ROWS) continue;
        yield { group, rows: { rows: count, columns: width, data } };
        data = new Float64Array(ROWS * width);
        count = 0;
      }
    }
    if (count > 0) yield { group, rows: { rows: count, columns: width, data } };
  }
}

/** For every position of the output along an axis: the input's position under each of the kernel's, −1 where there is none. */
function axisTable(patches: Patches, axis: number, size: number): Int32Array[] {
  const { op, kernel, strides, dilations } = patches;
  const stride = strides[axis] ?? 1, dilation = dilations[axis] ?? 1;
  const { before, outputs } = extentOf(patches, axis, size);
  return Array.from({ length: outputs }, (_, output) => Int32Array.from({ length: kernel[axis]! }, (_unused, at) => {
    const place = op === "conv" ? output * stride + at * dilation - before : (output + before - at * dilation) / stride;
    return Number.isInteger(place) && place >= 0 && place < size ? place : -1;
  }));
}

/** Padding before an axis, and how many outputs it gives (the ONNX standard, operators Conv and ConvTranspose). */
function extentOf({ op, kernel, strides, dilations, pads, autoPad, outputPadding }: Patches, axis: number, size: number): { readonly before: number; readonly outputs: number } {
  const stride = strides[axis] ?? 1, covered = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1;
  const isSame = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  const whole = stride * (size - 1) + (outputPadding[axis] ?? 0) + covered;
  if (isSame) {
    const outputs = op === "conv" ? Math.ceil(size / stride) : size * stride;
    const padding = Math.max(0, op === "conv" ? (outputs - 1) * stride + covered - size : whole - outputs);
    return { before: autoPad === "SAME_UPPER" ? Math.floor(padding / 2) : Math.ceil(padding / 2), outputs };
  }
  const [before, after] = autoPad === "VALID" ? [0, 0] : [pads[axis] ?? 0, pads[axis + kernel.length] ?? 0];
  return { before, outputs: op === "conv" ? Math.floor((size + before + after - covered) / stride) + 1 : whole - before - after };
}

/** Where the input's values under each position of the kernel lie in a plane. */
function offsetsAt(output: number, axes: readonly (readonly Int32Array[])[], sizes: readonly number[], offsets: Int32Array): void {
  offsets[0] = 0;
  let count = 1, rest = output;
  // The last axis runs fastest, in the output as in the kernel: outer ones first, each place followed by those of the next axis.
  const places = axes.map((_, axis) => {
    const inner = product(axes.slice(axis + 1).map(({ length }) => length));
    const place = Math.floor(rest / inner);
    rest -= place * inner;
    return place;
  });
  for (const [axis, table] of axes.entries()) {
    const along = table[places[axis]!]!;
    for (let at = count - 1; at >= 0; at--) {
      const base = offsets[at]!;
      for (let k = along.length - 1; k >= 0; k--) offsets[at * along.length + k] = base < 0 || along[k]! < 0 ? -1 : base * sizes[axis]! + along[k]!;
    }
    count *= along.length;
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
