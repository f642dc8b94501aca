import type { Factor } from "./scheme";
import { packedAs, swapped, unpacked } from "./schemes/kernels";
import { isConvolution, product, type Target } from "./target";

/**
 * The weight that factors stand for, in the layer's own shape: what the layers in a row compute, as one.
 * @param factors in the order of `Scheme.factor`
 */
export function reconstructed(target: Target, factors: readonly Factor[]): Float64Array {
  const groups = isConvolution(target.form) ? target.form.groups : 1;
  const order = packedAs(target.form);
  const [first, ...others] = factors.map((factor) => kernelOf(factor, isConvolution(target.form) ? factor.op : order));
  const whole = others.reduce(composed, spread(first!, groups));
  if (order !== "conv_transpose") return whole.values;
  const size = whole.values.length / groups, out = whole.out / groups, positions = product(whole.kernel);
  const all = new Float64Array(whole.values.length);
  for (let group = 0; group < groups; group++) all.set(swapped(whole.values.subarray(group * size, (group + 1) * size), out, whole.in, positions), group * size);
  return all;
}

/** A weight as (out, in, positions), with `in` the channels that each output takes, and a matrix as a kernel of no axes. */
interface Kernel {
  /** Of all groups. */
  readonly out: number;
  readonly in: number;
  readonly groups: number;
  readonly kernel: readonly number[];
  readonly values: Float64Array;
}

function kernelOf({ op, groups, shape, values }: Factor, order: Factor["op"]): Kernel {
  // A recurrent weight's directions and gates are one output side.
  const isKernel = op === "conv" || op === "conv_transpose";
  const sides = isKernel ? shape : [product(shape.slice(0, -1)), shape.at(-1) ?? 1];
  const [first = 1, second = 1, ...kernel] = sides;
  const own = order === "conv_transpose" ? { out: second * groups, in: first / groups } : { out: first, in: second };
  return { ...own, groups, kernel, values: order === "conv_transpose" ? unpacked(values, groups, own.in, second, product(kernel)) : values };
}

/** The first step with all channels of the layer's group as inputs: zero where its own groups are smaller. */
function spread({ out, in: inEach, groups, kernel, values }: Kernel, whole: number): Kernel {
  const parts = groups / whole;
  if (parts === 1) return { out, in: inEach, groups, kernel, values };
  const size = inEach * product(kernel);
  const all = new Float64Array(out * size * parts);
  for (let o = 0; o < out; o++) {
    const part = Math.floor((o * groups) / out) % parts;
    all.set(values.subarray(o * size, (o + 1) * size), (o * parts + part) * size);
  }
  return { out, in: inEach * parts, groups: whole, kernel, values: all };
}

/** Kernels of axes that do not overlap, earlier ones first, or a whole one and pointwise ones: positions multiply out. */
function composed(first: Kernel, second: Kernel): Kernel {
  const kernel = first.kernel.map((size, axis) => size * second.kernel[axis]!);
  const width = first.in * product(first.kernel), positions = product(second.kernel);
  const values = new Float64Array(second.out * width * positions);
  const outEach = second.out / second.groups;
  for (let o = 0; o < second.out; o++) {
    const start = Math.floor(o / outEach) * second.in;
    for (let m = 0; m < second.in; m++) {
      for (let p = 0; p < positions; p++) {
        const factor = second.values[(o * second.in + m) * positions + p]!;
        if (factor === 0) continue;
        let to = o * width * positions + p;
        for (let from = (start + m) * width, end = from + width; from < end; from++, to += positions) values[to]! += factor * first.values[from]!;
      }
    }
  }
  return { out: second.out, in: first.in, groups: first.groups, kernel, values };
}
