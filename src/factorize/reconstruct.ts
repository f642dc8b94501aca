import type { Factor } from "./scheme";
import { swapped } from "./schemes/kernels";
import { channelsOf, isConvolution, product, type Target } from "./target";

/**
 * The weight that factors stand for, in the layer's own shape: what the layers in a row compute, as one.
 * @param factors in the order of `Scheme.factor`
 */
export function reconstructed(target: Target, factors: readonly Factor[]): Float64Array {
  if (!isConvolution(target.form)) return matrixProduct(target, factors);
  const { groups, out, in: inEach, kernel } = channelsOf(target.shape, target.form);
  const all = new Float64Array(product(target.shape));
  const size = out * inEach * product(kernel);
  for (let group = 0; group < groups; group++) {
    const weight = factors.map((factor) => groupOf(factor, group)).reduce(composed);
    all.set(target.form.op === "conv_transpose" ? swapped(weight.values, out, inEach, product(kernel)) : weight.values, group * size);
  }
  return all;
}

function matrixProduct({ form }: Target, [first, last]: readonly Factor[]): Float64Array {
  const [left, right] = "layout" in form && form.layout === "out_in" ? [last!, first!] : [first!, last!];
  const [rows = 1, rank = 1] = left.shape, columns = right.shape[1] ?? 1;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < rank; r++) {
      const factor = left.values[i * rank + r]!;
      for (let j = 0; j < columns; j++) out[i * columns + j]! += factor * right.values[r * columns + j]!;
    }
  }
  return out;
}

/** One group's kernel as (out, in, positions). */
interface Kernel {
  readonly out: number;
  readonly in: number;
  readonly kernel: readonly number[];
  readonly values: Float64Array;
}

function groupOf({ op, groups, shape, values }: Factor, group: number): Kernel {
  const form = { op: op === "conv_transpose" ? op : "conv", groups } as const;
  const channels = channelsOf(shape, form);
  const size = values.length / groups;
  const own = values.subarray(group * size, (group + 1) * size);
  return { ...channels, values: op === "conv_transpose" ? swapped(own, channels.in, channels.out, product(channels.kernel)) : own };
}

/** Kernels of one axis each, or a whole one and pointwise ones: positions multiply out. */
function composed(first: Kernel, second: Kernel): Kernel {
  const kernel = first.kernel.map((size, axis) => size * second.kernel[axis]!);
  const [p1, p2] = [product(first.kernel), product(second.kernel)];
  const values = new Float64Array(second.out * first.in * p1 * p2);
  for (let o = 0; o < second.out; o++) {
    for (let m = 0; m < first.out; m++) {
      for (let i = 0; i < first.in; i++) {
        for (let a = 0; a < p1; a++) {
          const factor = first.values[(m * first.in + i) * p1 + a]!;
          const to = ((o * first.in + i) * p1 + a) * p2, from = (o * second.in + m) * p2;
          for (let b = 0; b < p2; b++) values[to + b]! += factor * second.values[from + b]!;
        }
      }
    }
  }
  return { out: second.out, in: first.in, kernel, values };
}
