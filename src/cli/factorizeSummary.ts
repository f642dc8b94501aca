import { basename } from "node:path";
import type { PlainFault } from "../shared/fault";
import { bytesText, countText, percentText } from "../shared/figures";
import { printable } from "../engine/printable";
import type { Plan, PlanMultiplyAdds } from "../factorize/plan";
import type { Verification } from "../verify/verification";

/** What `ranklens factorize` did, and its JSON. */
export interface Outcome {
  readonly plan: Plan;
  /** macs: multiply-adds of the layers that are counted, see the plan's `multiplyAdds`; null where they are not known. */
  readonly before: { readonly parameters: number; readonly bytes: number; readonly macs: number | null };
  /** bytes: null before anything was written. */
  readonly after: { readonly parameters: number; readonly bytes: number | null; readonly macs: number | null };
  readonly written: readonly string[];
  readonly verification: Verification | null;
  /** Why a verification that was asked for could not be done; the model is written all the same. */
  readonly unverified: PlainFault | null;
}

/** For a person at a terminal: what becomes of each layer, the sum, and how good it is. */
export function factorizeSummary({ plan, before, after, written, verification, unverified }: Outcome, dryRun: boolean): string {
  const lines = [`${printable(plan.source.file)}: ${printable(plan.choice)}`, ""];
  const width = plan.layers.reduce((most, { name }) => Math.max(most, printable(name).length), 5);
  for (const layer of plan.layers) {
    const what = layer.action === "keep"
      ? `kept: ${layer.reason}`
      : `${layer.scheme ?? ""} ${layer.ranks.join(" × ")}, ${percentText(layer.parametersAfter / layer.parametersBefore)} of its weights, error ${layer.relativeError.toFixed(3)}`;
    lines.push(`  ${printable(layer.name).padEnd(width)}  ${printable(what)}`);
  }
  lines.push("", `${countText(before.parameters)} parameters → ${countText(after.parameters)} (${percentText(after.parameters / before.parameters)})`);
  if (plan.multiplyAdds !== undefined && plan.multiplyAdds !== null) lines.push(multiplyAddsLine(plan.multiplyAdds));
  if (after.bytes !== null) lines.push(`${bytesText(before.bytes)} → ${bytesText(after.bytes)}`);
  if (verification !== null) lines.push("", ...verificationLines(verification));
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
    ...outputs.map(({ name, relativeError, cosine, largestDifference, topOneAgreement }) =>
      `  ${printable(name)}: relative error ${relativeError.toExponential(2)}, cosine ${cosine.toFixed(5)}, largest difference ${largestDifference.toExponential(2)}${topOneAgreement === null ? "" : `, same top entry ${(100 * topOneAgreement).toFixed(1)} %`}`),
    `  latency ${latency.original.medianMs} ms → ${latency.candidate.medianMs} ms median (${factor >= 1 ? `${factor.toFixed(2)} × faster` : `${(1 / factor).toFixed(2)} × slower`}), ${latency.original.p90Ms} → ${latency.candidate.p90Ms} ms at 90 %`,
    `  size ${bytesText(bytes.original)} → ${bytesText(bytes.candidate)}`,
  ];
}
