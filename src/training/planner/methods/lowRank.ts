import { lowRank, total, WEIGHT_BYTES, type Method, type PlanContext } from "../method";

const bothFactors = ({ matrices }: PlanContext): number => total(matrices, lowRank);
/** Updates of many rounds add up to a change without a low rank: the adapted weights are saved themselves. */
const adaptedWeights = ({ matrices }: PlanContext): number => WEIGHT_BYTES * matrices.reduce((all, { weights }) => all + weights, 0);

export const lora: Method = {
  id: "lora", label: "LoRA", group: "adapter", formula: "r·(m + n)", estimated: null, note: "",
  source: "Hu et al. 2021; PEFT, tuners/lora/layer.py", url: "https://arxiv.org/abs/2106.09685",
  trainable: bothFactors,
};

export const rslora: Method = {
  id: "rslora", label: "rsLoRA", group: "adapter", formula: "r·(m + n)", estimated: null, note: "As LoRA: only the scale differs, α/√r.",
  source: "Kalajdzievski 2023; PEFT, tuners/lora/layer.py", url: "https://arxiv.org/abs/2312.03732",
  trainable: bothFactors,
};

export const dora: Method = {
  id: "dora", label: "DoRA", group: "adapter", formula: "r·(m + n) + m", estimated: null, note: "LoRA and one magnitude for each output.",
  source: "Liu et al. 2024; PEFT, tuners/lora/dora.py", url: "https://arxiv.org/abs/2402.09353",
  trainable: ({ matrices }) => total(matrices, (matrix) => lowRank(matrix) + matrix.allOutputs),
};

export const bora: Method = {
  id: "bora", label: "BoRA", group: "adapter", formula: "r·(m + n) + m + n", estimated: null, note: "LoRA and magnitudes for outputs and inputs.",
  source: "Wang et al. 2024 (bi-dimensional), abstract", url: "https://arxiv.org/abs/2412.06441",
  trainable: ({ matrices }) => total(matrices, (matrix) => lowRank(matrix) + matrix.allOutputs + matrix.inputs),
};

export const aflora: Method = {
  id: "aflora", label: "AFLoRA", group: "adapter", formula: "r·(m + n) + r + m at the start, r + m at the end", estimated: null,
  note: "The count at the start. Both factors are frozen step by step; what is left to train are the two vectors.",
  source: "Liu et al. 2024 (adaptive freezing), abstract", url: "https://arxiv.org/abs/2403.13269",
  trainable: ({ matrices }) => total(matrices, (matrix) => lowRank(matrix) + matrix.rank + matrix.outputs),
};

/** Share of each factor that is pruned in the end. */
const ROSELORA_SPARSITY = 0.95;

export const roselora: Method = {
  id: "roselora", label: "RoseLoRA", group: "adapter", formula: "r·(m + n) while it trains, (1 − s)·r·(m + n) in the end", estimated: "saved",
  note: `Trains both factors whole and prunes them row by row and column by column; what is saved is counted for a sparsity s of ${ROSELORA_SPARSITY * 100} %, which is RankLens's example.`,
  source: "Wang et al. 2024 (row and column-wise sparse), abstract", url: "https://arxiv.org/abs/2406.10777",
  trainable: bothFactors,
  saved: (context) => Math.round((1 - ROSELORA_SPARSITY) * bothFactors(context)) * (4 + 4),
};

export const capaboost: Method = {
  id: "capaboost", label: "CapaBoost-LoRA", group: "adapter", formula: "at most r·(m + n)", estimated: null,
  note: "Parallel copies share one pair of factors under fixed random masks: no more is trained than of LoRA, and less where no mask lets a weight through.",
  source: "Song et al. 2024, abstract", url: "https://arxiv.org/abs/2407.01320",
  trainable: bothFactors,
};

export const relora: Method = {
  id: "relora", label: "ReLoRA", group: "adapter", formula: "r·(m + n) at a time", estimated: null,
  note: "Merges and begins anew: the sum of all rounds has no low rank, so the adapted weights are saved whole.",
  source: "Lialin et al. 2023, abstract", url: "https://arxiv.org/abs/2307.05695",
  trainable: bothFactors, saved: adaptedWeights,
};

export const cola: Method = {
  id: "cola", label: "COLA", group: "adapter", formula: "r·(m + n) for each link of the chain", estimated: null,
  note: "One link is trained at a time, then merged; the adapted weights are saved whole.",
  source: "Xia et al. 2024 (chain of LoRA), abstract", url: "https://arxiv.org/abs/2401.04151",
  trainable: bothFactors, saved: adaptedWeights,
};

/** Low-rank heads that are trained in parallel. */
const LTE_HEADS = 4;

export const lte: Method = {
  id: "lte", label: "LTE", group: "adapter", formula: "h·r·(m + n)", estimated: "trainable",
  note: `Counted for ${LTE_HEADS} heads, which is RankLens's example; heads may be on machines of their own. Merged from time to time; the adapted weights are saved whole.`,
  source: "Huh et al. 2024 (LoRA-the-Explorer), abstract", url: "https://arxiv.org/abs/2402.16828",
  trainable: (context) => LTE_HEADS * bothFactors(context), saved: adaptedWeights,
};
