import type { ConfigFix, TextRange } from "../../shared/configReading";
import { replaceValue } from "../documents/edits/edits";
import { fix, renameItem, renameKey } from "../fixes/fix";
import { PythonPattern } from "../matching/python/pattern";
import { placeOf, type Check, type Found, type Subject } from "./check";
import { adaptable, isRenamedOnLoading, withNewPrefix, type MovedPrefix } from "./modelNames";
import { movedRegex } from "./noTargetMatches";
import { adaptsNothing, namedTargets, unmatchedItems } from "./unmatched";

/**
 * transformers 4.52 moved the parts of models that see and read: names from before match no more, whether the file has
 * the new ones or they are given to it on loading.
 */
export const movedPrefix: Check = {
  code: "moved-prefix",
  link: "https://github.com/axolotl-ai-cloud/axolotl/issues/2834",
  find: (subject) => [...inItems(subject), ...inExpression(subject), ...inPatterns(subject)],
};

function inItems(subject: Subject): Found[] {
  const { config, model } = subject;
  const change = (item: Parameters<typeof renameItem>[2], source: string): ConfigFix[] => fix(`Change to ${source}`, [renameItem(config, config.targets, item, source)], { isPreferred: true });
  const unmatched = (unmatchedItems(subject) ?? []).flatMap(({ item, cause }) => (cause.kind === "moved" ? [unmatchedName(subject, item.text, cause, item.range, change(item, cause.source))] : []));
  if (model === null || !isRenamedOnLoading(model)) return unmatched;
  const renamed = (namedTargets(config)?.items ?? []).flatMap((item) => withNewPrefix(item.text).slice(0, 1).map((moved) => renamedOnLoading(item.text, moved, item.range, change(item, moved.source))));
  return [...unmatched.filter(({ range }) => renamed.every((other) => other.range.start !== range.start)), ...renamed];
}

function inExpression(subject: Subject): Found[] {
  const { config, model } = subject;
  const { targets, document, section } = config;
  if (targets.form !== "regex" || targets.entry === null || model === null) return [];
  const { entry } = targets;
  const range = placeOf(config, targets);
  const change = (source: string): ConfigFix[] => fix(`Change to ${source}`, [replaceValue(document, section, entry, source)], { isPreferred: true });
  const moved = adaptsNothing(subject) ? movedRegex(subject) : null;
  if (moved !== null) return [unmatchedName(subject, targets.item.text, moved, range, change(moved.source))];
  return isRenamedOnLoading(model) ? withNewPrefix(targets.item.text).slice(0, 1).map((other) => renamedOnLoading(targets.item.text, other, range, change(other.source))) : [];
}

function inPatterns(subject: Subject): Found[] {
  const { config, model } = subject;
  if (model === null) return [];
  const names = adaptable(model).map(({ name }) => name);
  return [config.rankPattern, config.alphaPattern].flatMap((pattern) => pattern.entries.flatMap((entry): Found[] => {
    const moved = withNewPrefix(entry.key)[0];
    if (moved === undefined) return [];
    const change = fix(`Change to ${moved.source}`, [renameKey(config, entry, moved.source)], { isPreferred: true });
    if (isRenamedOnLoading(model)) return [renamedOnLoading(entry.key, moved, entry.keyRange, change)];
    return !fits(entry.key, names) && fits(moved.source, names) ? [{ ...unmatchedName(subject, entry.key, moved, entry.keyRange, change), severity: "warning" }] : [];
  }));
}

function unmatchedName(subject: Subject, text: string, { old, now }: MovedPrefix, range: TextRange, fixes: ConfigFix[]): Found {
  return { severity: adaptsNothing(subject) ? "error" : "warning", message: `${text} matches nothing: what was ${old}… is ${now}… in this model.`, range, fixes };
}

function renamedOnLoading(text: string, { old, now }: MovedPrefix, range: TextRange, fixes: ConfigFix[]): Found {
  return { severity: "information", message: `${text} matches the names in the file, but transformers 4.52 and later load this model with ${now}… in the place of ${old}…, where it matches nothing.`, range, fixes };
}

function fits(key: string, names: readonly string[]): boolean {
  const pattern = PythonPattern.of(String.raw`(.*\.)?(${key})$`);
  return pattern instanceof PythonPattern && names.some((name) => pattern.matchesStart(name));
}
