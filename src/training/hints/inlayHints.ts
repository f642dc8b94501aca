import type { ConfigHint } from "../../shared/configReading";
import type { Adapted } from "../adapted";
import type { BaseModule, ModelModules } from "../base/modelModules";
import type { TrainingConfig } from "../config";
import { endsAs } from "../matching/targets";
import { membersText, namesOf } from "./moduleGroups";

/** Longer explanations are cut in a tooltip. */
const MOST_NAMES = 8;

/** How many modules each target and each key of a pattern comes to, with their rank; nothing where it comes to none, which a check tells. */
export function inlayHintsOf(config: TrainingConfig, { modules, ranks }: Adapted, model: ModelModules): ConfigHint[] {
  return [...targetHints(config, modules.map(({ module }) => module), model), ...patternHints(config, modules.map(({ module }) => module), (name) => ranks.of(name))];
}

function targetHints({ targets }: TrainingConfig, adapted: readonly BaseModule[], model: ModelModules): ConfigHint[] {
  switch (targets.form) {
    case "list":
      return targets.items.flatMap(({ text, range }) => hint(range.end, model.modules.filter(({ name }) => endsAs(name, text))));
    case "regex": case "all-linear":
      return targets.node === null ? [] : hint(targets.node.range.end, adapted);
    default:
      return [];
  }
}

function patternHints(config: TrainingConfig, adapted: readonly BaseModule[], rankOf: (name: string) => { readonly rank: number; readonly rankKey: string | null }): ConfigHint[] {
  const ranked = adapted.map((module) => ({ module, ...rankOf(module.name) }));
  return config.rankPattern.entries.flatMap(({ key, value, entry }) => {
    const own = ranked.filter(({ rankKey }) => rankKey === key).map(({ module }) => module);
    return hint(entry.range.end, own, value === null ? "" : ` · r ${value}`);
  });
}

function hint(at: number, modules: readonly BaseModule[], after = ""): ConfigHint[] {
  if (modules.length === 0) return [];
  const kinds = namesOf(modules).map(({ name, modules: members }) => `${name}: ${membersText(members)}`);
  const tooltip = [...kinds.slice(0, MOST_NAMES), ...(kinds.length > MOST_NAMES ? [`and ${kinds.length - MOST_NAMES} more kinds`] : [])].join("\n");
  return [{ at, text: `${membersText(modules)}${after}`, tooltip }];
}
