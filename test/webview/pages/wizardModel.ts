import type { CurvePoint, Draft, LayerLadder, Planning, PlanningLayer, Proposal, ProposedLayer } from "../../../src/shared/planning";
import { MARKUP_NAME } from "../support/names";
import { decayingSpectrum } from "./spectra";

type Ready = Extract<Planning, { state: "ready" }>;

/** Layers of a made-up network: some cannot be factorized, some are off by default. */
export function wizardLayers(count: number): PlanningLayer[] {
  const own = (name: string, shape: readonly number[], changes: Partial<PlanningLayer> = {}): PlanningLayer => ({
    name, kind: shape.length > 2 ? "conv" : "linear", shape, dtype: "float32", parameters: shape.reduce((all, size) => all * size, 1), refusal: null, offReason: null,
    schemes: shape.length > 2 ? ["channel", "spatial"] : ["svd"], ...changes,
  });
  return [
    own("features.0.weight", [32, 3, 3, 3], { offReason: "first convolution: small, and all that follows depends on it; off unless included" }),
    own("features.1.depthwise.weight", [32, 1, 3, 3], { refusal: "depthwise: each channel has one small kernel, so there is nothing to gain", schemes: [] }),
    ...Array.from({ length: count }, (_, index) => own(`features.${index + 2}.block.conv.weight`, [64, 64, 3, 3])),
    own(MARKUP_NAME, [512, 256]),
    own("classifier.weight", [10, 512], { offReason: "last layer: its errors reach the output directly; off unless included" }),
  ];
}

/** Of a unit, for each weight. */
const SCALES: Readonly<Record<string, number>> = { params: 1, bytes: 4, macs: 100 };
/** Of the whole model. */
export const LATENCY_MS = 12.5;
/** Amounts of a unit for each of so many weights. */
const scaleOf = (unit: string, weights = 1): number => (unit === "latency" ? LATENCY_MS / weights : (SCALES[unit] ?? 1));

/** What the stand-in's engine knows of its model. */
export interface Known {
  /** Multiply-adds are known. */
  readonly counted: boolean;
  /** They are counted in the background. */
  readonly unasked: boolean;
  /** Schemes beyond the plain ones whose ranks are found. */
  readonly made: readonly string[];
  /** Schemes that are measured; null: nothing is. */
  readonly timed: readonly string[] | null;
  readonly graph: boolean;
}

const PLAIN = ["svd", "channel", "spatial"];

export function readyPlanning(layers: readonly PlanningLayer[], { counted, unasked, made, timed, graph }: Known): Ready {
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  return {
    state: "ready", layers, countsUnasked: unasked && !counted, check: graph ? "run" : "layers", ready: [...PLAIN, ...made],
    latency: timed === null ? null : { ms: LATENCY_MS, low: 12.1, high: 13.4, runs: 30, schemes: timed, unmeasured: ["features.1.depthwise.weight"] }, ending: ".onnx",
    choices: {
      schemes: [
        { id: "auto", label: "Best for each layer", note: "Every scheme that fits a layer is considered.", schemes: PLAIN }, { id: "alds", label: "Channel groups (ALDS)", note: "ALDS.", schemes: ["svd", "channel", "groups2"] },
        ...[["svd", "SVD"], ["channel", "Channel decomposition"], ["spatial", "Spatial decomposition"], ["groups2", "Channel groups (ALDS), k = 2"], ["cp", "CP"]].map(([id, label]) => ({ id: id!, label: label!, note: "", schemes: [id!, "svd"] })),
      ],
      allocations: [{ id: "least-total", label: "Least total error", note: "Every weight goes where it helps most." }, { id: "minimax", label: "Smallest worst error", note: "ALDS." }],
      units: [
        { id: "params", label: "Parameters", note: "", total, whole: true, refusal: null }, { id: "bytes", label: "Bytes", note: "", total: 4 * total, whole: true, refusal: null },
        { id: "macs", label: "Multiply-adds", note: "Of the layers that are counted.", total: counted ? scaleOf("macs") * total : null, whole: true, refusal: null },
        { id: "latency", label: "Latency", note: "", total: timed === null ? null : LATENCY_MS, whole: false, refusal: graph ? null : "The latency cannot be measured. Its file holds no graph that could be run." },
      ],
      rules: [{ id: "energy", label: "Share of energy", note: "TRP", figure: { least: 0.5, most: 0.999, step: 0.005, initial: 0.95 } }, { id: "stable", label: "Stable rank", note: "", figure: null }],
      outputs: [{ id: "factored", label: "Factors", note: "Smaller." }, { id: "reconstructed", label: "Multiplied out", note: "No smaller." }],
      presets: [
        { id: "safe", label: "Safe", note: "85 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.85, allocation: "least-total" } },
        { id: "balanced", label: "Balanced", note: "60 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.6, allocation: "least-total" } },
        { id: "small", label: "Small", note: "40 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.4, allocation: "least-total" } },
        { id: "trp", label: "As TRP", note: "98 % of the energy", scheme: "channel", wish: { kind: "rule", rule: "energy:0.98" } },
        { id: "alds", label: "As ALDS", note: "Channel groups", scheme: "alds", wish: { kind: "budget", unit: "params", amount: 0.6, allocation: "minimax" } },
      ],
    },
  };
}

/** Every layer at the share of its weights that the budget leaves; the error is what is gone. */
export function madeUpProposal(layers: readonly PlanningLayer[], draft: Draft, { counted, timed }: Pick<Known, "counted" | "timed">): Proposal {
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const wanted = draft.wish.kind === "rule" ? 0.7 : draft.wish.amount / total / scaleOf(draft.wish.unit, total);
  const taken = (layer: PlanningLayer): boolean => layer.refusal === null && !draft.excluded.includes(layer.name) && (layer.offReason === null || draft.included.includes(layer.name));
  const free = layers.filter(taken).reduce((sum, { parameters }) => sum + parameters, 0);
  const share = free === 0 ? 1 : Math.max(0.02, 1 - ((1 - wanted) * total) / free);
  const proposed = layers.map((layer): ProposedLayer => {
    const { name, parameters } = layer;
    const kept = (reason: string): ProposedLayer => ({ name, action: "keep", scheme: null, ranks: [], reason, parametersBefore: parameters, parametersAfter: parameters, relativeError: 0 });
    const lock = draft.locks[name];
    if (!taken(layer)) return kept(layer.refusal ?? (draft.excluded.includes(name) ? "excluded" : layer.offReason ?? ""));
    if (lock?.scheme === null) return kept("kept by hand");
    if (lock === undefined && share >= 1) return kept("the budget leaves room for it as it is");
    const rank = lock?.ranks[0] ?? Math.max(1, Math.round(30 * share));
    return { name, action: "factorize", scheme: lock?.scheme ?? layer.schemes[0]!, ranks: [rank], reason: lock === undefined ? "least-total under a budget" : "set by hand", parametersBefore: parameters, parametersAfter: Math.round((parameters * rank) / 30), relativeError: errorAt(rank / 30) };
  });
  const after = proposed.reduce((sum, { parametersAfter }) => sum + parametersAfter, 0);
  const lossy = proposed.filter(({ relativeError }) => relativeError > 0);
  return {
    layers: proposed, before: { parameters: total, bytes: 4 * total },
    multiplyAdds: counted ? { before: scaleOf("macs") * total, after: scaleOf("macs") * after, per: "one run on x [1, 3, 224, 224]", uncounted: ["features.1.depthwise.weight"] } : null,
    latency: timed === null ? null : { before: LATENCY_MS, after: (LATENCY_MS * after) / total },
    after: {
      parameters: after, bytes: 4 * after, error: Math.sqrt(lossy.reduce((sum, { relativeError }) => sum + relativeError ** 2, 0) / Math.max(1, proposed.length)),
      worst: lossy[0] === undefined ? null : { name: lossy[0].name, error: lossy[0].relativeError }, factorized: lossy.length,
    },
  };
}

function errorAt(share: number): number {
  return Number(Math.max(0, 0.9 * (1 - share) ** 1.4 + 0.01).toPrecision(4));
}

export function madeUpCurve(layers: readonly PlanningLayer[], draft: Draft, unit: string): { unit: string; points: CurvePoint[]; least: number; total: number } {
  const weights = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const total = scaleOf(unit, weights) * weights;
  const least = 0.1 * total;
  const points = Array.from({ length: 33 }, (_, index): CurvePoint => {
    const amount = least + ((total - least) * index) / 32;
    const { after } = madeUpProposal(layers, { ...draft, wish: { kind: "budget", unit, amount, allocation: "least-total" } }, { counted: false, timed: null });
    return { amount, error: after.error, worst: after.worst?.error ?? 0 };
  });
  return { unit, points, least, total };
}

/** 40 ranks of a layer, each scheme alike; of cp, which is fitted, four. */
export function madeUpLadders({ schemes, parameters }: PlanningLayer, { made, timed }: Pick<Known, "made" | "timed">): LayerLadder[] {
  const all = schemes.includes("channel") ? [...schemes, ...made] : schemes;
  return all.map((scheme) => ({
    scheme, label: scheme, modes: scheme === "cp" ? [] : [decayingSpectrum(40, 0.8)], wholeMs: timed === null ? null : 1.2,
    rungs: Array.from({ length: 40 }, (_, index) => index + 1).filter((rank) => scheme !== "cp" || [1, 4, 12, 30].includes(rank)).map((rank) => ({
      ranks: [rank], parameters: Math.round((parameters * rank) / 30), error: errorAt(Math.min(1, rank / 40)), ms: timed?.includes(scheme) === true ? (1.2 * rank) / 40 : null,
    })),
  }));
}
