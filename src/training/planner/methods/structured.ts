import { ADAPTER_BYTES, lowRank, total, WEIGHT_BYTES, type AdaptedMatrix, type Method, type PlanContext } from "../method";

export const miss: Method = {
  id: "miss", label: "MiSS (Bone)", group: "adapter", formula: "r·m", estimated: null, note: "One block for each output, repeated along the inputs.",
  source: "Kang and Yin 2024; PEFT, tuners/miss/layer.py", url: "https://arxiv.org/abs/2409.15371",
  trainable: ({ matrices }) => total(matrices, ({ rank, outputs }) => rank * outputs),
};

/** A core and a factor for each axis; an axis of the kernel has no more ranks than positions. */
function tucker({ rank, inputs, outputs, kernel }: AdaptedMatrix): number {
  const positions = kernel.reduce((all, size) => all * size, 1);
  const sizes = [inputs / positions, outputs, ...kernel];
  const ranks = sizes.map((size) => Math.min(size, rank));
  return ranks.reduce((all, each) => all * each, 1) + sizes.reduce((all, size, axis) => all + size * ranks[axis]!, 0);
}

export const flora: Method = {
  id: "flora-tucker", label: "FLoRA (Tucker)", group: "adapter", formula: "r² + r·(m + n); of a convolution, ∏rᵢ + Σ rᵢ·sizeᵢ over its axes", estimated: null, note: "",
  source: "Si et al. 2024; the authors' flora/layers.py", url: "https://arxiv.org/abs/2405.14739",
  trainable: ({ matrices }) => total(matrices, tucker),
};

/** Cores of the chain. */
const DOTA_CORES = 3;

/** A size as this many whole factors, as near to each other as they can be. */
function balancedFactors(size: number, count: number): number[] {
  if (count === 1) return [size];
  let factor = Math.round(size ** (1 / count));
  while (size % factor !== 0) factor--;
  return [factor, ...balancedFactors(size / factor, count - 1)];
}

/** Σ Dₖ₋₁·mₖ·nₖ·Dₖ, where no bond is larger than what stands on either side of it. */
function matrixProductOperator({ rank, inputs, outputs }: AdaptedMatrix): number {
  const ins = balancedFactors(inputs, DOTA_CORES), outs = balancedFactors(outputs, DOTA_CORES);
  const sites = ins.map((size, core) => size * outs[core]!);
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  const bond = (core: number): number => (core === 0 || core === sites.length ? 1 : Math.min(rank, product(sites.slice(0, core)), product(sites.slice(core))));
  return sites.reduce((all, size, core) => all + bond(core) * size * bond(core + 1), 0);
}

export const dota: Method = {
  id: "dota", label: "DoTA", group: "adapter", formula: "Σ Dₖ₋₁·mₖ·nₖ·Dₖ, with m = ∏mₖ, n = ∏nₖ", estimated: "trainable",
  note: `A matrix product operator with bonds of size r. Counted for ${DOTA_CORES} cores of balanced factors, which is RankLens's choice: how the sizes are split decides the count.`,
  source: "Hu et al. 2024 (weight-decomposed tensor adaptation), abstract", url: "https://arxiv.org/abs/2412.20891",
  trainable: ({ matrices }) => total(matrices, matrixProductOperator),
};

/** Share of the entries that the sparse part has: as in the authors' example. */
const SLTRAIN_DENSITY = 0.03;
/** Positions are 64-bit integers. */
const INDEX_BYTES = 8;
const sparseEntries = ({ matrices }: PlanContext): number => matrices.reduce((all, { weights }) => all + Math.floor(SLTRAIN_DENSITY * weights), 0);

export const sltrain: Method = {
  id: "sltrain", label: "SLTrain", group: "adapter", formula: "r·(m + n) + δ·m·n", estimated: null,
  note: `For training from scratch: factors and a sparse part take the place of the weight. δ = ${SLTRAIN_DENSITY}, as in the authors' example; positions of the entries are saved too.`,
  source: "Han et al. 2024; the authors' splora_linear.py", url: "https://arxiv.org/abs/2406.02214",
  trainable: (context) => total(context.matrices, lowRank) + sparseEntries(context),
  saved: (context) => ADAPTER_BYTES * (total(context.matrices, lowRank) + sparseEntries(context)) + INDEX_BYTES * sparseEntries(context),
};

export const fullFineTuning: Method = {
  id: "full", label: "Full fine-tuning", group: "full", formula: "all weights", estimated: null, note: "Saved in 16 bits.",
  source: "two moments for each weight: Kingma and Ba 2015", url: "https://arxiv.org/abs/1412.6980",
  trainable: ({ parameters }) => parameters, saved: ({ parameters }) => WEIGHT_BYTES * parameters,
};
