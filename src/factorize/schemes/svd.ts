import type { Matrix } from "../../linalg/matrix";
import type { Values } from "../../models/model";
import type { Scheme, Step } from "../scheme";
import { isConvolution, product, type MatrixForm, type Target } from "../target";
import { balanced } from "./split";

/** W ≈ L R by its largest singular values: two matrices in place of one. */
export const svdScheme: Scheme = {
  id: "svd",
  label: "SVD",
  source: "Eckart & Young, 1936",
  bound: "apart",
  refusal: ({ form, shape }) => (isConvolution(form) ? "a convolution has schemes of its own" : shape.length !== 2 && form.op !== "recurrent" ? "its weight is no matrix" : null),
  fullRanks: ({ shape }) => [Math.min(...sidesOf(shape))],
  unfoldings: (target, values) => [[matrixOf(target, values)]],
  inputs(target) {
    const [rows, columns] = sidesOf(target.shape);
    return layoutOf(target) === "in_out" ? { side: "rows", length: rows, groups: 1 } : { side: "columns", length: columns, groups: 1 };
  },
  steps,
  async factor(target, values, ranks, svd) {
    const { left, right } = balanced(await svd.truncate(matrixOf(target, values), ranks[0]!));
    const parts = layoutOf(target) === "in_out" ? [left, right] : [right, left];
    return steps(target, ranks).map((step, index) => ({ ...step, values: parts[index]! }));
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const [, columns] = sidesOf(target.shape);
  const op = target.form.op;
  const sides = { groups: 1, axes: [] };
  const [left, right] = [[...target.shape.slice(0, -1), rank], [rank, columns]];
  // What an LSTM takes of its input is factored out in front of it; the operator stays, with a smaller input.
  if (op === "recurrent") return [{ role: "first", op: "linear", shape: right, ...sides }, { role: "last", op, shape: left, ...sides }];
  return layoutOf(target) === "in_out"
    ? [{ role: "first", op, shape: left, ...sides }, { role: "last", op: "linear", shape: right, ...sides }]
    : [{ role: "first", op, shape: right, ...sides }, { role: "last", op: "linear", shape: left, ...sides }];
}

function layoutOf({ form }: Target): MatrixForm["layout"] {
  return isConvolution(form) ? "in_out" : form.layout;
}

function matrixOf({ shape }: Target, data: Values): Matrix {
  const [rows, columns] = sidesOf(shape);
  return { rows, columns, data };
}

/** Directions and gates of a recurrent weight are outputs of one matrix. */
function sidesOf(shape: readonly number[]): [number, number] {
  return [product(shape.slice(0, -1)), shape.at(-1) ?? 1];
}
