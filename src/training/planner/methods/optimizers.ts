import { WEIGHT_BYTES, type AdaptedMatrix, type Method, type PlanContext } from "../method";

/** Sides of a matrix as its gradient is projected: the rank replaces the shorter one. */
interface Projected {
  readonly rank: number;
  readonly short: number;
  readonly long: number;
}

type Counted = Pick<Method, "id" | "label" | "formula" | "source" | "url" | "estimated" | "note">;

/** All weights are trained; those that are not projected have Adam's two moments. */
function projecting(method: Counted, states: (projected: Projected) => number, rankOf = ({ projectionRank }: PlanContext): number => projectionRank): Method {
  return {
    ...method, group: "optimizer",
    trainable: ({ parameters }) => parameters,
    saved: ({ parameters }) => WEIGHT_BYTES * parameters,
    states: (context) => {
      const rank = rankOf(context);
      const projected = context.matrices.reduce((all, matrix) => all + matrix.copies * states(sides(matrix, rank)), 0);
      const others = context.parameters - context.matrices.reduce((all, { weights }) => all + weights, 0);
      return projected + 2 * Math.max(0, others);
    },
  };
}

function sides({ weights, copies, allOutputs }: AdaptedMatrix, rank: number): Projected {
  const other = weights / copies / allOutputs;
  const short = Math.min(allOutputs, other);
  return { rank: Math.min(rank, short), short, long: Math.max(allOutputs, other) };
}

const inSubspace = ({ rank, short, long }: Projected): number => 2 * rank * long + rank * short;

export const galore = projecting({
  id: "galore", label: "GaLore", formula: "2·r·max(m, n) + r·min(m, n)", estimated: null, note: "Moments in the subspace, and the projection itself.",
  source: "Zhao et al. 2024; the authors' galore_projector.py", url: "https://arxiv.org/abs/2403.03507",
}, inSubspace);

export const galorePlus = projecting({
  id: "galore-plus", label: "GaLore+", formula: "2·r·max(m, n) + r·min(m, n), at most", estimated: "optimizer",
  note: "Counted as GaLore: heads of attention that share one projection, and sparse residuals, change it a little either way.",
  source: "Liao et al. 2024 (cross-head projection), abstract", url: "https://arxiv.org/abs/2412.19820",
}, inSubspace);

export const fira = projecting({
  id: "fira", label: "Fira", formula: "2·r·max(m, n) + r·min(m, n) + 1", estimated: null, note: "GaLore, and the norm of the last update.",
  source: "Chen et al. 2024; the authors' fira_adamw.py", url: "https://arxiv.org/abs/2410.01623",
}, (projected) => inSubspace(projected) + 1);

export const coap = projecting({
  id: "coap", label: "COAP", formula: "2·r·max(m, n) + r·min(m, n)", estimated: null, note: "As GaLore; the projection is updated in another way. The authors' code sets r as a ratio of the matrix.",
  source: "Xiao et al. 2024; the authors' coap_torch/optimizer/adamw.py", url: "https://arxiv.org/abs/2412.00071",
}, inSubspace);

export const floraOptimizer = projecting({
  id: "flora", label: "Flora", formula: "r·max(m, n) + m + n", estimated: null,
  note: "A compressed first moment, and Adafactor's second one; projections follow from a seed.",
  source: "Hao et al. 2024; the authors' optimizers/torch/flora.py", url: "https://arxiv.org/abs/2402.03293",
}, ({ rank, short, long }) => rank * long + short + long);

export const onlineSubspaceDescent = projecting({
  id: "online-subspace-descent", label: "Online Subspace Descent", formula: "2·r·max(m, n) + 3·r·min(m, n)", estimated: null,
  note: "GaLore, and Adam's two moments of the projection, which is learned too.",
  source: "Liang et al. 2024; the authors' galore_projector.py", url: "https://arxiv.org/abs/2408.12857",
}, ({ rank, short, long }) => 2 * rank * long + 3 * rank * short);

export const apollo = projecting({
  id: "apollo", label: "APOLLO", formula: "2·r·max(m, n) + 2", estimated: null, note: "Moments of a random projection; a seed and a norm besides.",
  source: "Zhu et al. 2024; the authors' apollo.py", url: "https://arxiv.org/abs/2412.05270",
}, ({ rank, long }) => 2 * rank * long + 2);

export const apolloMini = projecting({
  id: "apollo-mini", label: "APOLLO-Mini", formula: "2·max(m, n) + 2", estimated: null, note: "APOLLO at rank 1, with one scale for each matrix.",
  source: "Zhu et al. 2024, abstract; the authors' apollo.py", url: "https://arxiv.org/abs/2412.05270",
}, ({ long }) => 2 * long + 2, () => 1);
