import type { ConfigFix } from "../../shared/configReading";
import { replaceValue } from "../documents/edits/edits";
import { fix, renameItem } from "../fixes/fix";
import { counted, headOf, listed, placeOf, type Check, type Subject } from "./check";
import { adaptable, modulesMatching, targetNames, withNewPrefix, type MovedPrefix } from "./modelNames";
import { nearestName } from "./nearest";
import { adaptsNothing, approximately, unmatchedItems, type Unmatched } from "./unmatched";

/** No target matches: PEFT stops, others train nothing. */
export const noTargetMatches: Check = {
  code: "no-target-matches",
  link: "https://github.com/huggingface/peft/issues/1206",
  find(subject) {
    const { config, model } = subject;
    if (model === null || !adaptsNothing(subject) || adaptable(model).length === 0) return [];
    const { targets } = config;
    const unmatched = unmatchedItems(subject) ?? [];
    // These say more, and say it themselves.
    if (unmatched.some(({ cause }) => cause.kind !== "name")) return [];
    if (targets.form === "regex" && movedRegex(subject) !== null) return [];
    if (targets.form === "components") return [];
    const written = targets.form === "regex" ? `The expression ${targets.item.text} matches` : unmatched.length > 0 && "items" in targets ? `${listed(targets.items.map(({ text }) => text))} match${targets.items.length === 1 ? "es" : ""}` : "What is targeted matches";
    const left = unmatched.length === 0 && targets.form !== "regex" ? " once layers and exclusions are taken out" : "";
    return [{
      severity: model.approximate === null ? "error" : "hint",
      message: `${written} none of the model's ${counted(adaptable(model).length, "module")} that can be adapted${left}. They are called ${listed(targetNames(model), 8)}.${approximately(subject)}`,
      range: targets.node === null ? headOf(config) : placeOf(config, targets),
      fixes: [...renamed(subject, unmatched), ...corrected(subject)],
    }];
  },
};

function renamed({ config }: Subject, unmatched: readonly Unmatched[]): ConfigFix[] {
  const near = unmatched.flatMap(({ item, cause }) => (cause.kind === "name" && cause.nearest !== null ? [{ item, nearest: cause.nearest }] : []));
  if (near.length === 0 || near.length < unmatched.length) return [];
  return fix(`Change to ${listed(near.map(({ nearest }) => nearest), 8)}`, near.map(({ item, nearest }) => renameItem(config, config.targets, item, nearest)), { isPreferred: true });
}

/** The same expression in forms that people mean: any prefix, without `.weight`, a name that stands in a list. */
function corrected({ config, model }: Subject): ConfigFix[] {
  const { targets, document, section } = config;
  if (targets.form !== "regex" || targets.entry === null || model === null) return [];
  const source = targets.item.text;
  const bare = source.replace(/^\^/, "").replace(/\\?\.weight\$?$/, "");
  const found = [`.*${bare}`, `.*\\.${bare}`, `.*${bare}.*`].find((text) => (modulesMatching(model, text)?.length ?? 0) > 0);
  if (found !== undefined) return fix(`Change to ${found} (${counted(modulesMatching(model, found)!.length, "module")})`, [replaceValue(document, section, targets.entry, found)]);
  const nearest = /^[\w.]+$/.test(source) ? nearestName(source, targetNames(model)) : null;
  return nearest === null ? [] : fix(`Change to the list [${nearest}]`, [replaceValue(document, section, targets.entry, [nearest])]);
}

/** An expression that matches once its prefix is that of now. */
export function movedRegex({ config, model }: Subject): (MovedPrefix & { readonly count: number }) | null {
  if (config.targets.form !== "regex" || model === null) return null;
  for (const moved of withNewPrefix(config.targets.item.text)) {
    const count = modulesMatching(model, moved.source)?.length ?? 0;
    if (count > 0) return { ...moved, count };
  }
  return null;
}
