import type { TruncatedSvd } from "../../linalg/svd";
import type { Scheme, Step } from "../scheme";
import type { Target } from "../target";
import { groupsOf, kernelsOf, matrix, packed, packedShape, pointwise, refuseOthers, swapped } from "./kernels";

/** Rounds of HOOI; its gain is in the first few (De Lathauwer et al., 2000b). */
const ROUNDS = 5;

/**
 * Tucker-2: 1 × 1 to r₁ channels, the kernel between r₁ and r₂ channels, 1 × 1 to the outputs. Bases of both sides by
 * HOSVD, improved by HOOI: each in turn is the best for the other. Modes are [in, out].
 */
export const tucker2Scheme: Scheme = {
  id: "tucker2",
  label: "Tucker-2",
  source: "Kim et al., 2016; De Lathauwer et al., 2000",
  bound: "apart",
  refusal: refuseOthers,
  fullRanks(target) {
    const { out, in: inEach, positions } = kernelsOf(target);
    return [Math.min(inEach, out * positions), Math.min(out, inEach * positions)];
  },
  unfoldings(target, values) {
    const kernels = kernelsOf(target);
    const { out, in: inEach, positions } = kernels;
    const groups = groupsOf(kernels, values);
    return [
      groups.map((group) => matrix(inEach, out * positions, swapped(group, out, inEach, positions))),
      groups.map((group) => matrix(out, inEach * positions, group)),
    ];
  },
  steps,
  async factor(target, values, ranks, svd) {
    const kernels = kernelsOf(target);
    const { form, out, in: inEach, positions } = kernels;
    const [rankIn = 0, rankOut = 0] = ranks;
    const firsts: Float64Array[] = [], cores: Float64Array[] = [], lasts: Float64Array[] = [];
    for (const group of groupsOf(kernels, values)) {
      const { inputs, outputs, core } = await hooi(group, { out, inEach, positions, rankIn, rankOut }, svd);
      firsts.push(transposed(inputs, inEach, rankIn));
      cores.push(core);
      lasts.push(outputs);
    }
    const parts = [packed("conv", firsts, rankIn, inEach, 1), packed(form.op, cores, rankOut, rankIn, positions), packed("conv", lasts, out, rankOut, 1)];
    return steps(target, ranks).map((step, index) => ({ ...step, values: parts[index]! }));
  },
};

function steps(target: Target, [rankIn = 0, rankOut = 0]: readonly number[]): Step[] {
  const { form, groups, out, in: inEach, kernel } = kernelsOf(target);
  return [
    pointwise("first", groups, rankIn, inEach, kernel),
    { role: "core", op: form.op, groups, shape: packedShape(form.op, groups, rankOut, rankIn, kernel), axes: kernel.map(() => true) },
    pointwise("last", groups, out, rankOut, kernel),
  ];
}

interface Sizes {
  readonly out: number;
  readonly inEach: number;
  readonly positions: number;
  readonly rankIn: number;
  readonly rankOut: number;
}

/**
 * @param values (out, in, positions)
 * @returns bases in × r₁ and out × r₂, and the core (r₂, r₁, positions)
 */
async function hooi(values: Float64Array, { out, inEach, positions, rankIn, rankOut }: Sizes, svd: TruncatedSvd) {
  const inFirst = swapped(values, out, inEach, positions);
  let outputs = (await svd.truncate(matrix(out, inEach * positions, values), rankOut)).left;
  let inputs = (await svd.truncate(matrix(inEach, out * positions, inFirst), rankIn)).left;
  if (rankIn < inEach || rankOut < out) {
    for (let round = 0; round < ROUNDS; round++) {
      const cut = swapped(projected(values, out, inEach * positions, outputs, rankOut), rankOut, inEach, positions);
      if (rankIn <= rankOut * positions) inputs = (await svd.truncate(matrix(inEach, rankOut * positions, cut), rankIn)).left;
      const other = swapped(projected(inFirst, inEach, out * positions, inputs, rankIn), rankIn, out, positions);
      if (rankOut <= rankIn * positions) outputs = (await svd.truncate(matrix(out, rankIn * positions, other), rankOut)).left;
    }
  }
  const byOutput = swapped(projected(values, out, inEach * positions, outputs, rankOut), rankOut, inEach, positions);
  const core = swapped(projected(byOutput, inEach, rankOut * positions, inputs, rankIn), rankIn, rankOut, positions);
  return { inputs, outputs, core };
}

/** Bᵀ A for A (n × width) and B (n × rank): rank × width. */
function projected(a: Float64Array, n: number, width: number, basis: Float64Array, rank: number): Float64Array {
  const out = new Float64Array(rank * width);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < rank; r++) {
      const factor = basis[i * rank + r]!;
      for (let j = 0; j < width; j++) out[r * width + j]! += factor * a[i * width + j]!;
    }
  }
  return out;
}

function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  return swapped(data, rows, columns, 1);
}
