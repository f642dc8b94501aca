import { ADAPTER_BYTES, total, type AdaptedMatrix, type Method, type PlanContext } from "../method";

/** Bytes of the seed of a random generator. */
const SEED_BYTES = 8;

const veraVectors = ({ matrices }: PlanContext): number => total(matrices, ({ rank, outputs }) => rank + outputs);

/** PEFT keeps one pair of projections for all modules, as large as the largest needs (tuners/vera/model.py). */
function veraProjections(matrices: readonly AdaptedMatrix[]): number {
  const largest = (size: (matrix: AdaptedMatrix) => number): number => matrices.reduce((most, matrix) => Math.max(most, size(matrix)), 0);
  return largest(({ rank }) => rank) * (largest(({ inputs }) => inputs) + largest(({ outputs }) => outputs));
}

export const vera: Method = {
  id: "vera", label: "VeRA", group: "adapter", formula: "r + m", estimated: null,
  note: "What is saved includes the shared random projections, as PEFT's save_projection does by default. VeRA's ranks are larger than LoRA's: 256 to 1024 in the paper.",
  source: "Kopiczko et al. 2024; PEFT, tuners/vera/layer.py", url: "https://arxiv.org/abs/2310.11454",
  trainable: veraVectors,
  saved: (context) => ADAPTER_BYTES * (veraVectors(context) + veraProjections(context.matrices)),
};

export const loraXs: Method = {
  id: "lora-xs", label: "LoRA-XS", group: "adapter", formula: "r²", estimated: null,
  note: "The outer factors are singular vectors of the base's weight: they are computed again, not saved.",
  source: "Bałazy et al. 2024; the authors' initialization_utils.py", url: "https://arxiv.org/abs/2405.17604",
  trainable: ({ matrices }) => total(matrices, ({ rank }) => rank * rank),
};

export const svfit: Method = {
  id: "svfit", label: "SVFit", group: "adapter", formula: "r", estimated: null,
  note: "Trains the r largest singular values. The paper takes ranks near full, which hold over 99 % of the matrix.",
  source: "Sun et al. 2024, abstract", url: "https://arxiv.org/abs/2409.05926",
  trainable: ({ matrices }) => total(matrices, ({ rank, inputs, outputs }) => Math.min(rank, inputs, outputs)),
};

export const edora: Method = {
  id: "edora", label: "EDoRA", group: "adapter", formula: "r² + m", estimated: null, note: "LoRA-XS with DoRA's magnitudes.",
  source: "Nasiri and Garraghan 2025; the authors' latent_utils.py", url: "https://arxiv.org/abs/2501.12067",
  trainable: ({ matrices }) => total(matrices, ({ rank, allOutputs }) => rank * rank + allOutputs),
};

/** The inner rank in relation to the outer one. */
const NORA_INNER = 4;

export const nora: Method = {
  id: "nora", label: "NoRA", group: "adapter", formula: "2·r·r′", estimated: "trainable",
  note: `The outer factors of rank r are frozen and an inner LoRA of rank r′ is trained between them. Counted for r′ = r / ${NORA_INNER}, which is RankLens's example; the paper chooses it for each task.`,
  source: "Lin et al. 2024 (nested), abstract", url: "https://arxiv.org/abs/2408.10280",
  trainable: ({ matrices }) => total(matrices, ({ rank }) => 2 * rank * Math.max(1, Math.floor(rank / NORA_INNER))),
};

export const loldu: Method = {
  id: "loldu", label: "LoLDU", group: "adapter", formula: "r + 1", estimated: null, note: "Trains r entries of the diagonal and a scale.",
  source: "Shi et al. 2024; the authors' loldu.py", url: "https://arxiv.org/abs/2410.13618",
  trainable: ({ matrices }) => total(matrices, ({ rank }) => rank + 1),
};

/** Random bases for each factor: the default of the authors' code. */
const NOLA_BASES = 1024;

export const nola: Method = {
  id: "nola", label: "NOLA", group: "adapter", formula: "2·k, whatever the rank", estimated: null,
  note: `k = ${NOLA_BASES} random bases for each factor, the default of the authors' code; the bases follow from a seed.`,
  source: "Koohpayegani et al. 2024; the authors' model_nola.py", url: "https://arxiv.org/abs/2310.02556",
  trainable: ({ matrices }) => total(matrices, () => 2 * NOLA_BASES),
  saved: ({ matrices }) => total(matrices, () => 2 * (NOLA_BASES * ADAPTER_BYTES + SEED_BYTES)),
};
