import type { Values } from "../models/model";
import type { Factor } from "../factorize/scheme";
import { reconstructed } from "../factorize/reconstruct";
import { channelsOf, isConvolution, product, type Target } from "../factorize/target";

/** What a layer makes of inputs. A convolution is taken at one position: of its output, or where it is transposed of its input. */
export interface Response {
  /** Sizes of one input. */
  readonly inputs: number;
  /** @param inputs `inputs` × count, row-major @returns outputs × count */
  apply(inputs: Float64Array, count: number): Float64Array;
}

/** A layer by its whole weight, in its target's shape. */
export function responseOf({ form, shape }: Target, weight: Values): Response {
  if (isConvolution(form) && form.op === "conv") {
    const { out } = channelsOf(shape, { ...form, groups: 1 });
    return byRows(weight, out, product(shape) / out);
  }
  const [first = 1] = shape;
  const others = product(shape) / first;
  return !isConvolution(form) && form.layout === "out_in" ? byRows(weight, first, others) : byColumns(weight, first, others);
}

/** A layer by its factors: a matrix's one after the other, a convolution's multiplied out. */
export function responseOfFactors(target: Target, factors: readonly Factor[]): Response {
  const [first, last] = factors;
  if (isConvolution(target.form) || factors.length !== 2 || first === undefined || last === undefined) return responseOf(target, reconstructed(target, factors));
  const [one, two] = [first, last].map(({ shape: [rows = 1, columns = 1], values }) => ("layout" in target.form && target.form.layout === "out_in" ? byRows(values, rows, columns) : byColumns(values, rows, columns)));
  return { inputs: one!.inputs, apply: (inputs, count) => two!.apply(one!.apply(inputs, count), count) };
}

/** W x for W of rows × columns. */
function byRows(weight: ArrayLike<number>, rows: number, columns: number): Response {
  return {
    inputs: columns,
    apply(inputs, count) {
      const out = new Float64Array(rows * count);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const factor = weight[i * columns + j]!;
          for (let s = 0; s < count; s++) out[i * count + s]! += factor * inputs[j * count + s]!;
        }
      }
      return out;
    },
  };
}

/** Wᵀ x for W of rows × columns. */
function byColumns(weight: ArrayLike<number>, rows: number, columns: number): Response {
  return {
    inputs: rows,
    apply(inputs, count) {
      const out = new Float64Array(columns * count);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const factor = weight[i * columns + j]!;
          for (let s = 0; s < count; s++) out[j * count + s]! += factor * inputs[i * count + s]!;
        }
      }
      return out;
    },
  };
}
