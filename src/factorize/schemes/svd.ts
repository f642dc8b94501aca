import type { Matrix } from "../../linalg/matrix";
import type { Values } from "../../models/model";
import type { Scheme, Step } from "../scheme";
import { isConvolution, type MatrixForm, type Target } from "../target";
import { balanced } from "./split";

/** W ≈ L R by its largest singular values: two matrices in place of one. */
export const svdScheme: Scheme = {
  id: "svd",
  label: "SVD",
  source: "Eckart & Young, 1936",
  refusal: ({ form, shape }) => (isConvolution(form) ? "a convolution has the channel, spatial and tucker2 schemes" : shape.length !== 2 ? "its weight is no matrix" : null),
  fullRanks: ({ shape }) => [Math.min(...shape)],
  unfoldings: (target, values) => [[matrixOf(target, values)]],
  steps,
  async factor(target, values, ranks, svd) {
    const { left, right } = balanced(await svd.truncate(matrixOf(target, values), ranks[0]!));
    const parts = layoutOf(target) === "in_out" ? [left, right] : [right, left];
    return steps(target, ranks).map((step, index) => ({ ...step, values: parts[index]! }));
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const [rows = 1, columns = 1] = target.shape;
  const op = target.form.op;
  const sides = { groups: 1, axes: [] };
  const [left, right] = [[rows, rank], [rank, columns]];
  return layoutOf(target) === "in_out"
    ? [{ role: "first", op, shape: left, ...sides }, { role: "last", op: "linear", shape: right, ...sides }]
    : [{ role: "first", op, shape: right, ...sides }, { role: "last", op: "linear", shape: left, ...sides }];
}

function layoutOf({ form }: Target): MatrixForm["layout"] {
  return isConvolution(form) ? "in_out" : form.layout;
}

function matrixOf({ shape: [rows = 1, columns = 1] }: Target, data: Values): Matrix {
  return { rows, columns, data };
}
