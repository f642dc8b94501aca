import { bytesText, countText, fineShareText } from "../../shared/figures";
import type { ConfigPlan, Estimated, PlanRow, PlanTargets } from "../../shared/plannerPage";

/** Name and version of the JSON form. A field may be added; one that is renamed or means something else is a new version. */
const SCHEMA = "ranklens.methods/1";

const TARGETS: Readonly<Record<PlanTargets, string>> = { config: "the config's targets", "all-linear": "all linear layers", attention: "attention", mlp: "feed-forward layers" };
const HEADINGS = ["method", "trainable", "% of model", "saved", "optimizer"] as const;
const OWN = "▸ ", OTHER = "  ", ESTIMATE = "≈ ";

/** Plans as `ranklens check --plan` prints them: for people, or as JSON for other programs. */
export function planTable(plans: readonly ConfigPlan[], form: "text" | "json"): string {
  if (form === "json") return `${JSON.stringify({ schema: SCHEMA, plans }, null, 2)}\n`;
  return plans.map((plan) => `${headOf(plan)}\n\n${tableOf(plan)}\n${legendOf(plan)}`).join("\n");
}

function headOf({ fileName, ecosystem, base, targets, choices, rank, projectionRank }: ConfigPlan): string {
  const modules = choices.find((choice) => choice.targets === targets)?.modules ?? 0;
  const ranks = rank.least === rank.most ? `rank ${rank.least}` : `ranks ${rank.least} to ${rank.most}`;
  return [
    `${fileName} (${ecosystem}) on ${base.name}, ${countText(base.parameters)} parameters`,
    `${modules} ${modules === 1 ? "module" : "modules"} (${TARGETS[targets]}), ${ranks}; projected gradients of rank ${projectionRank}`,
    ...(base.remark === "" ? [] : [`Approximately: ${base.remark}.`]),
  ].join("\n");
}

function tableOf({ rows, own }: ConfigPlan): string {
  const cells = [[...HEADINGS], ...rows.map((row) => cellsOf(row, own))];
  cells[0]![0] = `${OTHER}${HEADINGS[0]}`;
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  ").trimEnd()).join("\n");
}

function cellsOf({ id, label, trainable, share, savedBytes, optimizerBytes, estimated }: PlanRow, own: string | null): string[] {
  const marked = (figure: Estimated, text: string): string => (figure === estimated ? `${ESTIMATE}${text}` : text);
  return [
    `${id === own ? OWN : OTHER}${label}`, marked("trainable", trainable.toLocaleString("en-US")), fineShareText(share),
    marked("saved", bytesText(savedBytes)), marked("optimizer", bytesText(optimizerBytes)),
  ];
}

function legendOf({ rows, own }: ConfigPlan): string {
  const lines = [
    ...(own === null ? [] : [`${OWN}the config's own method.`]),
    ...(rows.some(({ estimated }) => estimated !== null) ? [`${ESTIMATE}an estimate: the method leaves a choice open, which --json names.`] : []),
    "The optimizer's state is counted in float32, Adam's two moments unless the method says otherwise.",
  ];
  return `\n${lines.join("\n")}\n`;
}
