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
  const wrong = wrongField(own, PLAN_FIELDS) ?? wrongField(own["source"], SOURCE_FIELDS, "its source's ") ?? (own["latency"] === undefined ? null : wrongField(own["latency"], LATENCY_FIELDS, "its latency's "))
    ?? (own["multiplyAdds"] == null ? null : wrongField(own["multiplyAdds"], MULTIPLY_ADDS_FIELDS, "its multiplyAdds' "))
    ?? (own["calibration"] === undefined ? null : wrongField(own["calibration"], CALIBRATION_FIELDS, "its calibration's "));
  if (wrong !== null) throw fault(wrong);
  const seen = new Set<string>();
  for (const [index, layer] of (own["layers"] as unknown[]).entries()) {
    const problem = isRecord(layer) ? wrongField(layer, LAYER_FIELDS) ?? (layer["action"] === "factorize" ? wrongField(layer, FACTOR_FIELDS) : null) : "it is no object";
    if (problem !== null) throw fault(`layer ${index + 1}${nameOf(layer)}: ${problem}`);
    const { name } = layer as unknown as PlanLayer;
    if (seen.has(name)) throw fault(`layer ${index + 1}, ${name}, is there twice`);
    seen.add(name);
  }
  return own as unknown as Plan;
}

/** What a field has to be, in words, and whether a value is. */
type Field = readonly [name: string, words: string, isRight: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === "string";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isMeasured = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const maybe = (isRight: (value: unknown) => boolean) => (value: unknown): boolean => value === undefined || isRight(value);

const PLAN_FIELDS: readonly Field[] = [["choice", "a text", isText], ["source", "an object", isRecord], ["layers", "a list", Array.isArray], ["multiplyAdds", "an object, or null", maybe((value) => value === null || isRecord(value))], ["latency", "an object", maybe(isRecord)], ["calibration", "an object", maybe(isRecord)]];
const SOURCE_FIELDS: readonly Field[] = [["file", "a text", isText], ["format", "a text", isText], ["sha256", "a text", isText], ["parameters", "a whole number", isCount]];
const MULTIPLY_ADDS_FIELDS: readonly Field[] = [["before", "a number", isMeasured], ["after", "a number", isMeasured], ["per", "a text", isText], ["uncounted", "a list of names", isTextList]];
const CALIBRATION_FIELDS: readonly Field[] = [["file", "a text", isText], ["sha256", "a text", isText], ["samples", "a whole number", isCount]];
const LATENCY_FIELDS: readonly Field[] = [
  ["beforeMs", "a number", isMeasured], ["budgetMs", "a number", isMeasured], ["budgetShare", "a number, or null", (value) => value === null || isMeasured(value)], ["expectedMs", "a number", isMeasured], ["unmeasured", "a list of names", isTextList],
];
const LAYER_FIELDS: readonly Field[] = [
  ["name", "a text", isText], ["action", "keep or factorize", (value) => value === "keep" || value === "factorize"], ["reason", "a text", isText],
  ["parametersBefore", "a whole number", isCount], ["parametersAfter", "a whole number", isCount], ["relativeError", "a number", isMeasured],
  ["multiplyAddsBefore", "a number", maybe(isMeasured)], ["multiplyAddsAfter", "a number", maybe(isMeasured)],
];
const FACTOR_FIELDS: readonly Field[] = [
  ["scheme", `one of ${SCHEME_IDS.join(", ")}`, (value) => SCHEME_IDS.some((id) => id === value)],
  ["ranks", "a list of whole numbers from 1", (value) => Array.isArray(value) && value.length > 0 && value.every((rank) => Number.isSafeInteger(rank) && rank >= 1)],
];

/** What is wrong with the first field that is; null where all are right. */
function wrongField(value: unknown, fields: readonly Field[], of = "its "): string | null {
  const record = isRecord(value) ? value : {};
  const found = fields.find(([name, , isRight]) => !isRight(Object.hasOwn(record, name) ? record[name] : undefined));
  return found === undefined ? null : `${of}"${found[0]}" is ${Object.hasOwn(record, found[0]) ? "not" : "missing: it should be"} ${found[1]}`;
}

function nameOf(layer: unknown): string {
  return isRecord(layer) && typeof layer["name"] === "string" ? `, ${layer["name"]}` : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
