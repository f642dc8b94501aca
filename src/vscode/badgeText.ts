import { countText, percentText } from "../shared/figures";
import type { PlainFault } from "../shared/fault";
import type { ModelBadge } from "../shared/protocol";
import type { Progress } from "../shared/report";
import { formatLabel } from "../shared/formatLabel";
import type { ModelEntry } from "./modelGroups";
import { plainText } from "./plainText";
import { progressText } from "./statusText";
import type { Translate } from "./translate";

/** What is known of a model in the list: nothing yet, its header, or why that cannot be read. */
export type BadgeState =
  | { readonly state: "unknown" }
  | { readonly state: "known"; readonly badge: ModelBadge }
  | { readonly state: "fault"; readonly fault: PlainFault };

/** How a model is drawn. All texts are safe for labels. */
export interface ModelLook {
  /** Also the end of the item's context value, by which menus choose their commands. */
  readonly state: "idle" | "running" | "done" | "fault";
  readonly icon: "circle-outline" | "loading~spin" | "pass" | "error";
  readonly description: string;
  readonly tooltip: string;
  /** For a screen reader: the name with the description. */
  readonly label: string;
}

/** @param progress of an analysis that is queued or runs; null without one */
export function modelLook(model: ModelEntry, known: BadgeState, progress: Progress | null, t: Translate): ModelLook {
  const name = plainText(model.name);
  const state = progress !== null ? "running" : stateOf(known);
  const running = progress === null ? [] : [progressText(progress, t)];
  const facts = factsOf(known, t);
  return {
    state,
    icon: ICONS[state],
    // A narrow side bar cuts the end off: what changes comes first.
    description: (progress === null ? shortFacts(known, t) : running).join(" · "),
    tooltip: [plainText(model.path), ...facts].join("\n"),
    label: [name, ...running.map((text) => t("being analyzed, {0}", text)), ...facts].join(", "),
  };
}

const ICONS = { idle: "circle-outline", running: "loading~spin", done: "pass", fault: "error" } as const;

function stateOf(known: BadgeState): "idle" | "done" | "fault" {
  if (known.state === "fault") return "fault";
  return known.state === "known" && known.badge.meanUtilization !== null ? "done" : "idle";
}

function shortFacts(known: BadgeState, t: Translate): string[] {
  if (known.state === "unknown") return [];
  if (known.state === "fault") return [t("cannot be read")];
  const { format, parameters, meanUtilization } = known.badge;
  const used = meanUtilization === null ? [] : [t("{0} used", percentText(meanUtilization))];
  return [...used, plainText(formatLabel(format)), countText(parameters)];
}

function factsOf(known: BadgeState, t: Translate): string[] {
  if (known.state === "unknown") return [];
  if (known.state === "fault") return [known.fault.message, known.fault.next].filter((line) => line !== "").map(plainText);
  const { format, parameters, meanUtilization } = known.badge;
  const used = meanUtilization === null ? t("not analyzed yet") : t("mean utilization {0}", percentText(meanUtilization));
  return [plainText(formatLabel(format)), t("{0} parameters", countText(parameters)), used];
}
