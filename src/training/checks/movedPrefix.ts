import { replaceValue } from "../documents/edits/edits";
import { fix, renameItem, renameKey } from "../fixes/fix";
import { PythonPattern } from "../matching/python/pattern";
import { counted, placeOf, type Check, type Found, type Subject } from "./check";
import { adaptable, withMovedPrefix } from "./modelNames";
import { movedRegex } from "./noTargetMatches";
import { adaptsNothing, unmatchedItems } from "./unmatched";

/** transformers 4.52 moved the parts of models that see and read: names from before match no more. */
export const movedPrefix: Check = {
  code: "moved-prefix",
  link: "https://github.com/axolotl-ai-cloud/axolotl/issues/2834",
  find: (subject) => [...inItems(subject), ...inExpression(subject), ...inPatterns(subject)],
};

function inItems(subject: Subject): Found[] {
  const { config } = subject;
  return (unmatchedItems(subject) ?? []).flatMap(({ item, cause }) => cause.kind !== "moved" ? [] : [{
    severity: adaptsNothing(subject) ? "error" as const : "warning" as const,
    message: `${item.text} matches nothing: in this model ${cause.from}… is called ${cause.to}…`,
    range: item.range,
    fixes: fix(`Change to ${cause.source}`, [renameItem(config, config.targets, item, cause.source)], { isPreferred: true, isSafe: true }),
  }]);
}

function inExpression(subject: Subject): Found[] {
  const { config } = subject;
  const { targets } = config;
  const moved = adaptsNothing(subject) ? movedRegex(subject) : null;
  if (moved === null || targets.form !== "regex" || targets.entry === null) return [];
  return [{
    severity: "error",
    message: `The expression matches nothing: in this model ${moved.from}… is called ${moved.to}…, with which it matches ${counted(moved.count, "module")}.`,
    range: placeOf(config, targets),
    fixes: fix(`Change to ${moved.source}`, [replaceValue(config.document, config.section, targets.entry, moved.source)], { isPreferred: true, isSafe: true }),
  }];
}

function inPatterns({ config, model, outcome }: Subject): Found[] {
  if (model === null || outcome?.known !== true) return [];
  const names = adaptable(model).map(({ name }) => name);
  return [config.rankPattern, config.alphaPattern].flatMap((pattern) => pattern.entries.flatMap((entry): Found[] => {
    if (fits(entry.key, names)) return [];
    const moved = withMovedPrefix(entry.key).find(({ source }) => fits(source, names));
    if (moved === undefined) return [];
    return [{
      severity: "warning",
      message: `${entry.key} matches nothing: in this model ${moved.from}… is called ${moved.to}…`,
      range: entry.keyRange,
      fixes: fix(`Change to ${moved.source}`, [renameKey(config, entry, moved.source)], { isPreferred: true, isSafe: true }),
    }];
  }));
}

function fits(key: string, names: readonly string[]): boolean {
  const pattern = PythonPattern.of(String.raw`(.*\.)?(${key})$`);
  return pattern instanceof PythonPattern && names.some((name) => pattern.matchesStart(name));
}
