import { basename } from "node:path";
import type { PlainFault } from "../shared/fault";
import { bytesText, countText, percentText } from "../shared/figures";
import { printable } from "../engine/printable";
import type { Plan, PlanMultiplyAdds } from "../factorize/plan";
import type { ClassAgreement } from "../verify/compare";
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
  if (written.length > 0) lines.push("", `Written: ${written.map((path) => printable(basename(path))).join(", ")}`);
  if (dryRun) lines.push("Nothing was written (--dry-run).");
  return `${lines.join("\n")}\n`;
}

/** Fewer multiply-adds are not less time: nothing here says faster. */
function multiplyAddsLine({ before, after, per, uncounted }: PlanMultiplyAdds): string {
  const share = before === 0 ? "" : ` (${percentText(after / before)})`;
  const left = uncounted.length === 0 ? "" : `, without ${uncounted.length} ${uncounted.length === 1 ? "layer that is" : "layers that are"} not counted`;
  return `${countText(before)} multiply-adds → ${countText(after)}${share}, for ${printable(per)}${left}`;
}

export function verificationLines({ inputs, batches, outputs, latency, bytes }: Verification): string[] {
  const factor = latency.original.medianMs / latency.candidate.medianMs;
  return [
    `Compared on ${batches} ${batches === 1 ? "batch" : "batches"} of ${printable(inputs)}:`,
    ...outputs.flatMap(({ name, relativeError, cosine, largestDifference, topOneAgreement, byClass }) => [
      `  ${printable(name)}: relative error ${relativeError.toExponential(2)}, cosine ${cosine.toFixed(5)}, largest difference ${largestDifference.toExponential(2)}${topOneAgreement === null ? "" : `, same top entry ${(100 * topOneAgreement).toFixed(1)} %`}`,
      ...classLines(byClass),
    ]),
    `  latency ${latency.original.medianMs} ms → ${latency.candidate.medianMs} ms median (${factor >= 1 ? `${factor.toFixed(2)} × faster` : `${(1 / factor).toFixed(2)} × slower`}), ${latency.original.p90Ms} → ${latency.candidate.p90Ms} ms at 90 %`,
    `  size ${bytesText(bytes.original)} → ${bytesText(bytes.candidate)}`,
  ];
}

/** Classes that are listed: those that agree least. */
const MOST_CLASSES = 5;

function classLines(byClass: readonly ClassAgreement[] | null): string[] {
  const worst = (byClass ?? []).filter(({ agreement }) => agreement < 1).sort((a, b) => a.agreement - b.agreement || b.samples - a.samples).slice(0, MOST_CLASSES);
  return worst.length === 0 || byClass!.length < 2 ? [] : [`    by class, the lowest: ${worst.map(({ index, samples, agreement }) => `${index} ${(100 * agreement).toFixed(1)} % of ${samples}`).join(", ")}`];
}

export function layerErrorLines({ inputs, layers, bytes }: WeightVerification): string[] {
  const width = layers.reduce((most, { name }) => Math.max(most, printable(name).length), 0);
  return [
    layers.length === 0 ? "No layer differs." : `Output error of each layer that changed, on ${inputs}:`,
    ...layers.map(({ name, relativeError }) => `  ${printable(name).padEnd(width)}  ${relativeError.toExponential(2)}`),
    `  size ${bytesText(bytes.original)} → ${bytesText(bytes.candidate)}`,
  ];
}
