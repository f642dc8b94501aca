/**
 * What the compression wizard asks of the engine. Schemes, ways to share, units, rules and forms of the output are named by
 * the engine, with the words that explain them: the page offers what it is given.
 */

/** The engine's names of those units that are more to a page than a total. */
export const MULTIPLY_ADDS = "macs", LATENCY = "latency";

/** All that a proposal follows from. */
export interface Draft {
  /** `auto`: every scheme that fits. */
  readonly scheme: string;
  /** What is written, see `PlanningChoices.outputs`. */
  readonly as: string;
  readonly wish: DraftWish;
  /** Layers that are taken though they are off by default. */
  readonly included: readonly string[];
  readonly excluded: readonly string[];
  /** Layers whose ranks a person has set, by name: no budget changes them. */
  readonly locks: Readonly<Record<string, Lock>>;
}

export type DraftWish =
  /** A rule as the terminal writes it: "energy:0.9". */
  | { readonly kind: "rule"; readonly rule: string }
  /** An amount in the unit, for the whole model. */
  | { readonly kind: "budget"; readonly unit: string; readonly amount: number; readonly allocation: string };

/** scheme null: the layer stays as it is. */
export interface Lock {
  readonly scheme: string | null;
  readonly ranks: readonly number[];
}

export interface NamedChoice {
  readonly id: string;
  readonly label: string;
  /** What it does, where it is from. */
  readonly note: string;
}

/** A rule that takes a figure has its range; null: it takes none. */
export interface RuleChoice extends NamedChoice {
  readonly figure: { readonly least: number; readonly most: number; readonly step: number; readonly initial: number } | null;
}

export interface SchemeChoice extends NamedChoice {
  /** Those that it chooses among: each must be ready, see `Planning.ready`. */
  readonly schemes: readonly string[];
}

export interface UnitChoice extends NamedChoice {
  /** Of the model as it is; null: not counted or measured yet. */
  readonly total: number | null;
  /** Amounts are whole numbers. */
  readonly whole: boolean;
  /** Why the model has no budget in it; null when it has. */
  readonly refusal: string | null;
}

export interface PlanningChoices {
  readonly schemes: readonly SchemeChoice[];
  readonly allocations: readonly NamedChoice[];
  readonly units: readonly UnitChoice[];
  readonly rules: readonly RuleChoice[];
  readonly outputs: readonly NamedChoice[];
  readonly presets: readonly Preset[];
}

/** A method that is chosen with one click. */
export interface Preset extends NamedChoice {
  readonly scheme: string;
  /** A budget's amount is a share of the model here. */
  readonly wish: DraftWish;
}

/** A layer before anything is proposed. */
export interface PlanningLayer {
  readonly name: string;
  readonly kind: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly parameters: number;
  /** Why it cannot be factorized; null when it can. */
  readonly refusal: string | null;
  /** Why it is off unless it is included; null when it is on. */
  readonly offReason: string | null;
  /** Schemes that fit it. */
  readonly schemes: readonly string[];
}

/** `unanalyzed`: spectra are missing, and an analysis finds them. */
export type Planning =
  | { readonly state: "unanalyzed"; readonly missing: number; readonly total: number }
  | {
    readonly state: "ready";
    readonly layers: readonly PlanningLayer[];
    readonly choices: PlanningChoices;
    /** Schemes whose ranks are known; of others spectra are found, or factors fitted, once they are asked for. */
    readonly ready: readonly string[];
    /** null: not measured yet. */
    readonly latency: MeasuredModel | null;
    /** Multiply-adds are not counted yet, and running the graph for them costs little. */
    readonly countsUnasked: boolean;
    /** How a written model is checked: run beside the original, or layer by layer where the format has no graph. */
    readonly check: "run" | "layers";
    /** Ending of the file that is written. */
    readonly ending: string;
  };

/** How long the model takes on this machine, in ONNX Runtime on seeded inputs. Milliseconds. */
export interface MeasuredModel {
  /** Median. */
  readonly ms: number;
  /** Four of five runs took between these. */
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** Schemes that layers were measured in. */
  readonly schemes: readonly string[];
  /** Layers that do not run alone, and stay as they are under a budget of latency. */
  readonly unmeasured: readonly string[];
}

/** What becomes of a layer. */
export interface ProposedLayer {
  readonly name: string;
  readonly action: "keep" | "factorize";
  readonly scheme: string | null;
  readonly ranks: readonly number[];
  readonly reason: string;
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** ‖W − Ŵ‖_F / ‖W‖_F from the singular values. */
  readonly relativeError: number;
}

/** Estimates: nothing was written yet. */
export interface ModelEstimate {
  readonly parameters: number;
  readonly bytes: number;
  /** Root mean square of the relative errors of all layers that may be factorized. */
  readonly error: number;
  /** The layer that loses most; null where none loses. */
  readonly worst: { readonly name: string; readonly error: number } | null;
  readonly factorized: number;
}

export interface Proposal {
  readonly layers: readonly ProposedLayer[];
  readonly before: { readonly parameters: number; readonly bytes: number };
  readonly after: ModelEstimate;
  /** null where they are not counted. */
  readonly multiplyAdds: MultiplyAddsEstimate | null;
  /** null where the model, or a scheme of the plan, was not measured. */
  readonly latency: LatencyEstimate | null;
}

/** Milliseconds. */
export interface LatencyEstimate {
  /** Measured. */
  readonly before: number;
  /** Expected from layers that were measured alone: what the model takes, only a run of it tells. */
  readonly after: number;
}

/** Of the layers that are counted. */
export interface MultiplyAddsEstimate {
  readonly before: number;
  readonly after: number;
  /** What is counted, in words: one run on inputs of some shapes, or one position of each layer. */
  readonly per: string;
  readonly uncounted: readonly string[];
}

export interface CurvePoint {
  /** Of the whole model, in the curve's unit: what the plan takes, not what it may. */
  readonly amount: number;
  readonly error: number;
  readonly worst: number;
}

/** Size against error, smallest first. */
export interface Curve {
  readonly unit: string;
  readonly points: readonly CurvePoint[];
  /** The smallest model that these layers and schemes allow, and the model as it is. */
  readonly least: number;
  readonly total: number;
}

/** Every rank of a layer that a scheme allows, for trying them out. */
export interface LayerLadder {
  readonly scheme: string;
  readonly label: string;
  /** The singular values that rule the ranks, one list for each rank of the scheme; groups together. None where factors are fitted. */
  readonly modes: readonly (readonly number[])[];
  /** `ms`: as measured alone on this machine; null where it was not. */
  readonly rungs: readonly { readonly ranks: readonly number[]; readonly parameters: number; readonly error: number; readonly ms: number | null }[];
  /** Of the layer as it is. */
  readonly wholeMs: number | null;
}

/** Work that takes time, told as it goes. */
export interface Work {
  readonly path: string;
  /** `ladders`: of schemes that no analysis has spectra for; `latency`: times of the model and its layers. */
  readonly task: "prepare" | "ladders" | "latency" | "apply" | "compare";
  readonly layer: string;
  readonly done: number;
  readonly total: number;
}

/** What was written, and how large it is. */
export interface Applied {
  /** The model first. */
  readonly written: readonly string[];
  readonly before: { readonly parameters: number; readonly bytes: number };
  readonly after: { readonly parameters: number; readonly bytes: number };
}

/** Measured figures of a written model against its original. */
export type ModelCheck =
  | {
    readonly kind: "run";
    /** Where the inputs came from. */
    readonly inputs: string;
    readonly seeded: boolean;
    readonly batches: number;
    readonly outputs: readonly {
      readonly name: string;
      readonly relativeError: number;
      readonly cosine: number;
      readonly largestDifference: number;
      readonly topOneAgreement: number | null;
      /** Entries that no other figure counts; left out by runs of older versions. */
      readonly notFinite?: number;
    }[];
    readonly latency: { readonly original: CheckedLatency; readonly candidate: CheckedLatency };
    /** Bytes, to load a model and run it once; left out where it could not be measured, and by runs of older versions. */
    readonly peakMemory?: { readonly original: number; readonly candidate: number };
  }
  | { readonly kind: "layers"; readonly inputs: string; readonly layers: readonly { readonly name: string; readonly relativeError: number }[] };

export interface CheckedLatency {
  readonly medianMs: number;
  readonly p90Ms: number;
}
