import { Fault } from "../shared/fault";
import { SCHEME_IDS, type SchemeId } from "./scheme";

export const PLAN_SCHEMA = "ranklens.plan/1";

/** What becomes of every layer of a model: enough to write the same bytes again. */
export interface Plan {
  readonly schema: typeof PLAN_SCHEMA;
  readonly tool: { readonly name: "ranklens"; readonly version: string };
  readonly source: PlanSource;
  /** How the ranks were chosen, for a person. */
  readonly choice: string;
  /** Of the layers that are counted; null where the model could not be run, left out by plans of older versions. */
  readonly multiplyAdds?: PlanMultiplyAdds | null;
  /** Under a budget of measured latency; of one machine at one time. */
  readonly latency?: PlanLatency;
  /** The data that ranks or factors follow; left out where they follow from weights alone. */
  readonly calibration?: PlanCalibration;
  readonly layers: readonly PlanLayer[];
}

export interface PlanCalibration {
  readonly file: string;
  /** Of the file, or of all files of a folder in order. */
  readonly sha256: string;
  readonly samples: number;
}

/** Medians in milliseconds. */
export interface PlanLatency {
  readonly beforeMs: number;
  readonly budgetMs: number;
  /** Of the model's own, where that was the budget; null: so many milliseconds. */
  readonly budgetShare: number | null;
  /** From layers that were measured alone: what the model takes, only its verification tells. */
  readonly expectedMs: number;
  /** Candidates that could not be measured alone, and are kept. */
  readonly unmeasured: readonly string[];
}

export interface PlanMultiplyAdds {
  readonly before: number;
  readonly after: number;
  /** What is counted: one run on inputs of a shape, or one position of each layer. */
  readonly per: string;
  /** Layers that are not counted. */
  readonly uncounted: readonly string[];
}

export interface PlanSource {
  readonly file: string;
  readonly format: string;
  /** Of all files of the model, in order. */
  readonly sha256: string;
  readonly parameters: number;
}

export interface PlanLayer {
  readonly name: string;
  readonly action: "keep" | "factorize";
  readonly scheme: SchemeId | null;
  readonly ranks: readonly number[];
  readonly reason: string;
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Left out where it is not known how often the layer is applied. */
  readonly multiplyAddsBefore?: number;
  readonly multiplyAddsAfter?: number;
  /** ‖W − Ŵ‖_F / ‖W‖_F from the singular values: exact for one rank, an upper bound for two. */
  readonly relativeError: number;
  /** The relative error is that of the layer's outputs on the calibration data. */
  readonly errorOf?: "outputs";
  /** Its factors follow the calibration data: they need it. */
  readonly calibrated?: true;
}

/** As it lies beside the output: the same plan gives the same bytes. */
export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/**
 * @param text of a plan's file
 * @param name of that file, for the fault
 * @throws Fault malformed
 */
export function parsePlan(text: string, name: string): Plan {
  const fault = (what: string): Fault => new Fault("malformed", `${name} is no plan of RankLens: ${what}.`, "Write one with ranklens factorize --dry-run --json.");
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (error) {
    throw fault(`it is no JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (!isRecord(plan)) throw fault("it is no object");
  // The output of --json holds the plan among other things.
  const own: Record<string, unknown> = isRecord(plan["plan"]) ? plan["plan"] : plan;
  if (own["schema"] !== PLAN_SCHEMA) throw fault(`its schema is not ${PLAN_SCHEMA}`);
  const { source, layers } = own;
  if (!isRecord(source) || typeof source["sha256"] !== "string") throw fault("its source has no sha256");
  if (!Array.isArray(layers)) throw fault("it has no layers");
  const wrong = layers.findIndex((layer) => !isLayer(layer));
  const data = own["calibration"];
  if (data !== undefined && (!isRecord(data) || typeof data["sha256"] !== "string")) throw fault("its calibration has no sha256");
  if (wrong >= 0) throw fault(`layer ${wrong + 1}${nameOf(layers[wrong])} has no name, action, scheme and ranks that fit each other`);
  return own as unknown as Plan;
}

function nameOf(layer: unknown): string {
  return isRecord(layer) && typeof layer["name"] === "string" ? `, ${layer["name"]},` : "";
}

function isLayer(layer: unknown): layer is PlanLayer {
  if (!isRecord(layer) || typeof layer["name"] !== "string") return false;
  if (layer["action"] === "keep") return true;
  const { scheme, ranks } = layer;
  return layer["action"] === "factorize" && SCHEME_IDS.some((id) => id === scheme) && Array.isArray(ranks) && ranks.every((rank) => Number.isSafeInteger(rank) && rank >= 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
