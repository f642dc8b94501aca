import { basename, dirname, relative } from "node:path";
import type { PlainFault } from "../shared/fault";
import { bytesText, countText, fineShareText, magnitudeText, millisecondsText, percentText, SAME_SPEED } from "../shared/figures";
import { printable } from "../engine/printable";
import type { Plan, PlanMultiplyAdds } from "../factorize/plan";
import { LOADER_NAME } from "../factorize/safetensors/loader";
import type { ClassAgreement, OutputComparison } from "../verify/compare";
import type { Verification, WeightVerification } from "../verify/verification";
import { keptLine, latencyLine } from "./latencyBudget";

/** What `ranklens factorize` did, and its JSON. */
export interface Outcome {
  readonly plan: Plan;
  /** macs: multiply-adds of the layers that are counted, see the plan's `multiplyAdds`; null where they are not known. */
  readonly before: { readonly parameters: number; readonly bytes: number; readonly macs: number | null };
  /** bytes: null before anything was written. */
  readonly after: { readonly parameters: number; readonly bytes: number | null; readonly macs: number | null };
  readonly written: readonly string[];
  readonly verification: Verification | null;
  /** Where the output has no graph that could be run. */
  readonly layerErrors: WeightVerification | null;
  /** What else became of the model. */
  readonly notes: readonly string[];
  /** Why a verification that was asked for could not be done; the model is written all the same. */
  readonly unverified: PlainFault | null;
}

/** For a person at a terminal: what becomes of each layer, the sum, and how good it is. */
export function factorizeSummary({ plan, before, after, written, verification, layerErrors, notes, unverified }: Outcome, dryRun: boolean): string {
  const lines = [`${printable(plan.source.file)}: ${printable(plan.choice)}`, ""];
  const width = plan.layers.reduce((most, { name }) => Math.max(most, printable(name).length), 5);
  for (const layer of plan.layers) {
    const what = layer.action === "keep"
      ? `kept: ${layer.reason}`
      : `${layer.scheme ?? ""} ${layer.ranks.join(" × ")}, ${percentText(layer.parametersAfter / layer.parametersBefore)} of its weights, ${layer.errorOf === "outputs" ? "output error" : "error"} ${layer.relativeError.toFixed(3)}`;
    lines.push(`  ${printable(layer.name).padEnd(width)}  ${printable(what)}`);
  }
  lines.push("", `${countText(before.parameters)} parameters → ${countText(after.parameters)} (${percentText(after.parameters / before.parameters)})`);
  if (plan.layers.every(({ action }) => action === "keep")) lines.push("No layer is factorized: the weights stay as they are.");
  if (plan.multiplyAdds != null && plan.multiplyAdds.before > 0) lines.push(multiplyAddsLine(plan.multiplyAdds));
  if (plan.latency !== undefined) lines.push(latencyLine(plan.latency));
  if (after.bytes !== null) lines.push(`${bytesText(before.bytes)} → ${bytesText(after.bytes)}`);
  if (verification !== null) lines.push("", ...verificationLines(verification));
  if (verification !== null && plan.latency !== undefined) lines.push(keptLine(plan.latency, verification.latency));
  if (layerErrors !== null) lines.push("", ...layerErrorLines(layerErrors));
  if (notes.length > 0) lines.push("", ...notes.map((note) => `Note: ${printable(note)}.`));
  if (unverified !== null) lines.push("", printable(`Not verified: ${unverified.message} ${unverified.next}`).trimEnd());
  if (written.length > 0) lines.push("", writtenLine(written), ...nextLines(written, verification !== null || layerErrors !== null));
  if (dryRun) lines.push("Nothing was written (--dry-run).");
  return `${lines.join("\n")}\n`;
}

/** Names, and their folder where it is not the one that the terminal is in. @param paths of the main file first */
function writtenLine(paths: readonly string[]): string {
  const folder = relative(process.cwd(), dirname(paths[0]!));
  return `Written${folder === "" ? "" : ` to ${printable(folder)}`}: ${paths.map((path) => printable(relative(dirname(paths[0]!), path))).join(", ")}`;
}

/** What to do with it. */
function nextLines([main = "", ...others]: readonly string[], isVerified: boolean): string[] {
  return [
    ...(isVerified ? [] : [`To compare it with the original: ranklens verify ORIGINAL ${printable(relative(process.cwd(), main))}`]),
    ...(others.some((path) => basename(path) === LOADER_NAME) ? [`To load it in PyTorch: see the head of ${LOADER_NAME}.`] : []),
  ];
}

/** Fewer multiply-adds are not less time: nothing here says faster. */
function multiplyAddsLine({ before, after, per, uncounted }: PlanMultiplyAdds): string {
  const share = before === 0 ? "" : ` (${percentText(after / before)})`;
  const left = uncounted.length === 0 ? "" : `, without ${uncounted.length} ${uncounted.length === 1 ? "layer that is" : "layers that are"} not counted`;
  return `${countText(before)} multiply-adds → ${countText(after)}${share}, for ${printable(per)}${left}`;
}

export function verificationLines({ inputs, batches, outputs, latency, bytes, peakMemory }: Verification): string[] {
  return [
    `Compared on ${batches} ${batches === 1 ? "batch" : "batches"} of ${printable(inputs)}:`,
    ...outputs.flatMap((output) => [
      `  ${printable(output.name)}: relative error ${magnitudeText(output.relativeError)}, cosine ${output.cosine.toFixed(5)}, largest difference ${magnitudeText(output.largestDifference)}${agreementWords(output)}`,
      ...classLines(output.byClass),
    ]),
    `  latency ${millisecondsText(latency.original.medianMs)} → ${millisecondsText(latency.candidate.medianMs)} median (${speedWords(latency.original.medianMs / latency.candidate.medianMs)}), ${millisecondsText(latency.original.p90Ms)} → ${millisecondsText(latency.candidate.p90Ms)} at the 90th percentile`,
    `  size ${bytesText(bytes.original)} → ${bytesText(bytes.candidate)}`,
    ...(peakMemory === undefined ? [] : [`  peak memory ${bytesText(peakMemory.original)} → ${bytesText(peakMemory.candidate)}, to load it and run it once`]),
  ];
}

function agreementWords({ topOneAgreement, notFinite }: OutputComparison): string {
  const same = topOneAgreement === null ? "" : `, same top entry ${fineShareText(topOneAgreement)} %`;
  return notFinite === 0 ? same : `${same}, NOT finite in one of the two: ${notFinite} ${notFinite === 1 ? "entry" : "entries"}, which no figure counts`;
}

/** Never called faster unless it was measured faster. */
function speedWords(factor: number): string {
  if (factor < SAME_SPEED && factor > 1 / SAME_SPEED) return "about the same";
  return factor >= 1 ? `${factor.toFixed(2)} × faster` : `${(1 / factor).toFixed(2)} × slower`;
}

/** Classes that are listed: those that agree least. */
const MOST_CLASSES = 5;

function classLines(byClass: readonly ClassAgreement[] | null): string[] {
  const worst = (byClass ?? []).filter(({ agreement }) => agreement < 1).sort((a, b) => a.agreement - b.agreement || b.samples - a.samples).slice(0, MOST_CLASSES);
  return worst.length === 0 || byClass!.length < 2 ? [] : [`    the same least often: ${worst.map(({ index, samples, agreement }) => `class ${index} ${fineShareText(agreement)} % of ${samples}`).join(", ")}`];
}

export function layerErrorLines({ inputs, layers, bytes }: WeightVerification): string[] {
  const width = layers.reduce((most, { name }) => Math.max(most, printable(name).length), 0);
  return [
    layers.length === 0 ? "No layer differs." : `Output error of each layer that changed, on ${inputs}:`,
    ...layers.map(({ name, relativeError }) => `  ${printable(name).padEnd(width)}  ${magnitudeText(relativeError)}`),
    `  size ${bytesText(bytes.original)} → ${bytesText(bytes.candidate)}`,
  ];
}
