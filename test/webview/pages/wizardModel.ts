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
const scaleOf = (unit: string): number => SCALES[unit] ?? 1;

/** @param counted multiply-adds are known; unasked: they are counted in the background */
export function readyPlanning(layers: readonly PlanningLayer[], counted: boolean, unasked: boolean): Ready {
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  return {
    state: "ready", layers, countsUnasked: unasked && !counted, check: "run", ending: ".onnx",
    choices: {
      schemes: [{ id: "auto", label: "Best for each layer", note: "Every scheme that fits a layer is considered." }, { id: "svd", label: "SVD", note: "" }, { id: "channel", label: "Channel decomposition", note: "TRP" }, { id: "spatial", label: "Spatial decomposition", note: "TRP" }],
      allocations: [{ id: "least-total", label: "Least total error", note: "Every weight goes where it helps most." }, { id: "minimax", label: "Smallest worst error", note: "ALDS." }],
      units: [{ id: "params", label: "Parameters", note: "", total }, { id: "bytes", label: "Bytes", note: "", total: 4 * total }, { id: "macs", label: "Multiply-adds", note: "Of the layers that are counted.", total: counted ? scaleOf("macs") * total : null }],
      rules: [{ id: "energy", label: "Share of energy", note: "TRP", figure: { least: 0.5, most: 0.999, step: 0.005, initial: 0.95 } }, { id: "stable", label: "Stable rank", note: "", figure: null }],
      outputs: [{ id: "factored", label: "Factors", note: "Smaller." }, { id: "reconstructed", label: "Multiplied out", note: "No smaller." }],
      presets: [
        { id: "safe", label: "Safe", note: "85 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.85, allocation: "least-total" } },
        { id: "balanced", label: "Balanced", note: "60 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.6, allocation: "least-total" } },
        { id: "small", label: "Small", note: "40 %", scheme: "auto", wish: { kind: "budget", unit: "params", amount: 0.4, allocation: "least-total" } },
        { id: "trp", label: "As TRP", note: "98 % of the energy", scheme: "channel", wish: { kind: "rule", rule: "energy:0.98" } },
      ],
    },
  };
}

/** Every layer at the share of its weights that the budget leaves; the error is what is gone. */
export function madeUpProposal(layers: readonly PlanningLayer[], draft: Draft, counted: boolean): Proposal {
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const wanted = draft.wish.kind === "rule" ? 0.7 : draft.wish.amount / total / scaleOf(draft.wish.unit);
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
  const scale = scaleOf(unit);
  const total = scale * layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const least = Math.round(0.1 * total);
  const points = Array.from({ length: 33 }, (_, index): CurvePoint => {
    const amount = Math.round(least + ((total - least) * index) / 32);
    const { after } = madeUpProposal(layers, { ...draft, wish: { kind: "budget", unit, amount, allocation: "least-total" } }, false);
    return { amount, error: after.error, worst: after.worst?.error ?? 0 };
  });
  return { unit, points, least, total };
}

/** 30 ranks of a layer, each scheme alike. */
export function madeUpLadders({ schemes, parameters }: PlanningLayer): LayerLadder[] {
  return schemes.map((scheme) => ({
    scheme, label: scheme, modes: [decayingSpectrum(40, 0.8)],
    rungs: Array.from({ length: 40 }, (_, index) => ({ ranks: [index + 1], parameters: Math.round((parameters * (index + 1)) / 30), error: errorAt(Math.min(1, (index + 1) / 40)) })),
  }));
}
