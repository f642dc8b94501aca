import type { TargetItem } from "../config";
import { replaceValue } from "../documents/edits/edits";
import { fix } from "../fixes/fix";
import { PythonPattern } from "../matching/python/pattern";
import { counted, type Check, type Found, type Subject } from "./check";
import { modulesMatching } from "./modelNames";
import { adaptsNothing, isExpression, namedTargets } from "./unmatched";

/** In a list PEFT compares names: an expression there never matches. */
export const regexInList: Check = {
  code: "regex-in-list",
  link: "https://github.com/huggingface/peft/issues/1206",
  find(subject) {
    const targets = namedTargets(subject.config);
    if (targets?.form !== "list") return [];
    return targets.items.filter(({ text }) => isExpression(text)).map((item): Found => ({
      severity: adaptsNothing(subject) || targets.items.length === 1 ? "error" : "warning",
      message: `${item.text} is an expression, and in a list only names are matched: it matches nothing.${wouldMatch(subject, item)}`,
      range: item.range,
      fixes: asText(subject, targets.items),
    }));
  },
};

function wouldMatch({ model }: Subject, { text }: TargetItem): string {
  const count = model === null ? null : (modulesMatching(model, text)?.length ?? null);
  return count === null ? " Write it as a text of its own, without the list." : ` As a text of its own it would match ${counted(count, "module")}.`;
}

/** The list as one expression: names as the ends of names that they are. */
function asText({ config, model }: Subject, items: readonly TargetItem[]): Found["fixes"] {
  const { targets, document, section } = config;
  // Where a text between commas is a list too, there is no way to write an expression.
  if (targets.entry === null || targets.node?.kind !== "sequence" || !takesExpression(config.ecosystem) || !("complete" in targets && targets.complete)) return [];
  const parts = items.map(({ text }) => (isExpression(text) ? text : String.raw`(?:.*\.)?${text.replaceAll(".", String.raw`\.`)}`));
  const source = parts.length === 1 ? parts[0]! : parts.map((part) => `(?:${part})`).join("|");
  if (!(PythonPattern.of(source) instanceof PythonPattern)) return [];
  const count = model === null ? null : (modulesMatching(model, source)?.length ?? null);
  const title = `Write the targets as one expression${count === null ? "" : ` (${counted(count, "module")})`}`;
  return fix(title, [replaceValue(document, section, targets.entry, source)], { isPreferred: count !== 0 });
}

function takesExpression(ecosystem: Subject["config"]["ecosystem"]): boolean {
  return ["peft-json", "peft-python", "axolotl", "trl", "hydra", "unsloth"].includes(ecosystem);
}
