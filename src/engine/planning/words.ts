import { ALLOCATIONS, type AllocationId, type Budget } from "../../factorize/propose";
import type { RankRule } from "../../factorize/rankRule";
import { SCHEME_IDS, SCHEME_WISHES, type SchemeId, type SchemeWish } from "../../factorize/scheme";
import { PLAIN_SCHEMES, SCHEMES, schemesOf } from "../../factorize/schemes";
import { OUTPUTS, type Output } from "../../factorize/source";
import type { Draft, DraftWish, NamedChoice, PlanningChoices, Preset, RuleChoice } from "../../shared/planning";
import { bytesText, countText, millisecondsText } from "../../shared/figures";
import { NO_GRAPH } from "../latencyApart";

type Words = Omit<NamedChoice, "id">;
/** As the terminal names them. */
export type Unit = Budget["unit"] | "macs" | "latency";
/** Of the model as it is; multiply-adds and milliseconds are null until they are counted and measured. */
export type Totals = Readonly<Record<Budget["unit"], number> & Record<Exclude<Unit, Budget["unit"]>, number | null>>;

/** Each record is keyed by what the core offers: a scheme, way or unit without words does not compile. */
const ALLOCATION_WORDS: Readonly<Record<AllocationId, Words>> = {
  "least-total": { label: "Least total error", note: "Every weight goes where it takes most error away; tells how far it is from the best possible." },
  minimax: { label: "Smallest worst error", note: "No layer loses more than it must: the largest error over the layers is the smallest possible (ALDS, Liebenwein et al. 2021)." },
  "effective-rank": { label: "By effective rank", note: "Every layer keeps a rank in proportion to its effective rank (the signal of Swift-SVD, Qi et al. 2026)." },
  "equal-ratio": { label: "Same share of every layer", note: "Every layer keeps the same share of its weights, as most tools do." },
};

const UNIT_WORDS: Readonly<Record<Unit, Words & { readonly whole: boolean; readonly text: (amount: number) => string }>> = {
  params: { label: "Parameters", note: "Weights in the whole model.", whole: true, text: (amount) => `${countText(amount)} parameters` },
  bytes: { label: "Bytes", note: "Size of the files.", whole: true, text: bytesText },
  macs: { label: "Multiply-adds", note: "Of the layers that are counted: for one run of the graph, or at one position of each layer where the format has no graph. Fewer are not always faster.", whole: true, text: (amount) => `${countText(amount)} multiply-adds` },
  latency: { label: "Latency", note: "Time of one run in ONNX Runtime on this machine. The model and each of its layers are measured for it, which takes a while.", whole: false, text: millisecondsText },
};

const SEVERAL_SCHEMES: Readonly<Record<Exclude<SchemeWish, SchemeId>, Words>> = {
  auto: { label: "Best for each layer", note: "Every plain scheme that fits a layer is considered at every size: SVD, channel, spatial, Tucker-2." },
  alds: { label: "Channel groups (ALDS)", note: "Input channels in one, two, four or eight groups, each with an SVD of its own: the number that loses least is chosen at every size (Liebenwein et al., 2021)." },
};

/** What a scheme costs beyond its source. */
const SCHEME_NOTES: Partial<Readonly<Record<SchemeId, string>>> = {
  cp: "Fitted at a few ranks, which takes seconds for a layer. Layers of many groups run slower than their multiply-adds say.",
  depthwise: "Layers of many groups run slower than their multiply-adds say.",
};

const OUTPUT_WORDS: Readonly<Record<Output, Words & { readonly smaller: boolean }>> = {
  factored: { label: "Factors", note: "The factors take the weights' place: smaller. Other programs see two or three layers for one; safetensors come with a short loader for PyTorch.", smaller: true },
  reconstructed: { label: "Multiplied out", note: "Weights of the same shapes, which load everywhere and are no smaller: to measure what the lower ranks cost.", smaller: false },
  adapter: { label: "Base and adapter", note: "A base that holds what is left and an adapter of PEFT that holds the factors: together the original, and larger. To fine-tune the principal part alone (PiSSA, Meng et al. 2024).", smaller: false },
};

const RULE_WORDS: Readonly<Record<RankRule["kind"], Words & Pick<RuleChoice, "figure">>> = {
  energy: { label: "Share of energy", note: "The smallest rank that keeps this share of Σσ² (TRP, Xu et al. 2020).", figure: { least: 0.5, most: 0.999, step: 0.005, initial: 0.95 } },
  effective: { label: "Effective rank", note: "The effective rank, rounded up (Roy & Vetterli 2007).", figure: null },
  stable: { label: "Stable rank", note: "The stable rank ‖W‖_F² / σ₁², rounded up (Rudelson & Vershynin 2007).", figure: null },
  "scaled-stable": { label: "Scaled stable rank", note: "The stable rank in proportion to that of a random matrix of the same shape, rounded up (Cuttlefish, Wang et al. 2023).", figure: null },
  evbmf: { label: "EVBMF", note: "What stands out from noise by empirical variational Bayes (Nakajima et al. 2013).", figure: null },
  "hard-threshold": { label: "Hard threshold", note: "Singular values above Gavish and Donoho's optimal threshold (2014).", figure: null },
  ratio: { label: "Share of each layer", note: "The largest rank within this share of the layer's weights.", figure: { least: 0.05, most: 0.95, step: 0.05, initial: 0.5 } },
  fixed: { label: "One rank for all", note: "The same rank in every layer.", figure: { least: 1, most: 512, step: 1, initial: 16 } },
};

/** Shares of the weights that a preset keeps, and the energy that TRP's experiments keep. */
const PRESETS: readonly Preset[] = [
  { id: "safe", label: "Safe", note: "85 % of the parameters, least total error.", scheme: "auto", wish: budget(0.85, "least-total") },
  { id: "balanced", label: "Balanced", note: "60 % of the parameters, least total error.", scheme: "auto", wish: budget(0.6, "least-total") },
  { id: "small", label: "Small", note: "40 % of the parameters, least total error.", scheme: "auto", wish: budget(0.4, "least-total") },
  { id: "trp", label: "As TRP", note: "Trained Rank Pruning's choice: each convolution by channel, the smallest rank that keeps 98 % of the energy.", scheme: "channel", wish: { kind: "rule", rule: "energy:0.98" } },
  { id: "alds", label: "As ALDS", note: "ALDS's method (Liebenwein et al. 2021): 60 % of the parameters, input channels in groups, the largest error over the layers as small as possible, by its bound with √k for k groups.", scheme: "alds", wish: budget(0.6, "minimax") },
];

function budget(amount: number, allocation: AllocationId): Preset["wish"] {
  return { kind: "budget", unit: "params" satisfies Unit, amount, allocation };
}

export function isUnit(unit: string): unit is Unit {
  return Object.hasOwn(UNIT_WORDS, unit);
}

/** Whether amounts of it are whole numbers. */
export function isWhole(unit: Unit): boolean {
  return UNIT_WORDS[unit].whole;
}

/** Whether its ranks follow from where layers are applied. */
export function isOfMultiplyAdds(wish: DraftWish): boolean {
  return wish.kind === "budget" && wish.unit === ("macs" satisfies Unit);
}

export function isOfLatency(wish: DraftWish): boolean {
  return wish.kind === "budget" && wish.unit === ("latency" satisfies Unit);
}

export function isSchemeWish(id: string): id is SchemeWish {
  return SCHEME_WISHES.some((wish) => wish === id);
}

/** Schemes whose ladders a draft is proposed by: those that its scheme chooses among, and those set by hand. */
export function schemesNeeded({ scheme, as, locks }: Pick<Draft, "scheme" | "as" | "locks">): readonly SchemeId[] {
  if (as === ("adapter" satisfies Output)) return [];
  const byHand = SCHEME_IDS.filter((id) => Object.values(locks).some((lock) => lock.scheme === id));
  return [...new Set([...(isSchemeWish(scheme) ? schemesOf(scheme) : []), ...byHand])];
}

export function isAllocation(id: string): id is AllocationId {
  return Object.hasOwn(ALLOCATIONS, id);
}

export function isOutput(id: string): id is Output {
  return OUTPUTS.some((output) => output === id);
}

export function amountWords(unit: Unit): (amount: number) => string {
  return UNIT_WORDS[unit].text;
}

/** Whether an output of this form is smaller than the model. */
export function makesSmaller(output: Output): boolean {
  return OUTPUT_WORDS[output].smaller;
}

/**
 * @param outputs forms that the model's format can be written in
 * @param schemes that candidates may have
 * @param hasGraph the model can be run
 */
export function planningChoices(totals: Totals, outputs: readonly Output[], schemes: readonly SchemeId[], hasGraph: boolean): PlanningChoices {
  const several = (Object.keys(SEVERAL_SCHEMES) as (keyof typeof SEVERAL_SCHEMES)[]).filter((id) => id === "auto" || schemesOf(id).some((each) => !PLAIN_SCHEMES.includes(each) && schemes.includes(each)));
  const choices = [
    ...several.map((id) => ({ id, ...SEVERAL_SCHEMES[id], schemes: schemesOf(id) })),
    ...schemes.map((id) => SCHEMES[id]).map(({ id, label, source }) => ({ id, label, note: [source, SCHEME_NOTES[id]].filter((part) => part !== undefined).join(". "), schemes: schemesOf(id) })),
  ];
  return {
    schemes: choices,
    allocations: named(ALLOCATION_WORDS),
    units: Object.entries(UNIT_WORDS).map(([id, { label, note, whole }]) => ({ id, label, note, whole, total: totals[id as Unit], refusal: id === ("latency" satisfies Unit) && !hasGraph ? `The latency cannot be measured. ${NO_GRAPH}` : null })),
    rules: Object.entries(RULE_WORDS).map(([id, words]) => ({ id, ...words })),
    outputs: named(OUTPUT_WORDS).filter(({ id }) => outputs.some((output) => output === id)),
    presets: PRESETS.filter(({ scheme }) => choices.some(({ id }) => id === scheme)),
  };
}

function named(words: Readonly<Record<string, Words>>): NamedChoice[] {
  return Object.entries(words).map(([id, { label, note }]) => ({ id, label, note }));
}
