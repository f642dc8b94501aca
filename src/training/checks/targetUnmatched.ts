import { membersText } from "../hints/moduleGroups";
import { dropItem, fix, renameItem } from "../fixes/fix";
import { counted, type Check, type Found, type Subject } from "./check";
import { adaptsNothing, approximately, namedTargets, unmatchedItems, type Unmatched } from "./unmatched";
import { endsAs } from "../matching/targets";

/** Some targets match nothing, which training does not tell. */
export const targetUnmatched: Check = {
  code: "target-unmatched",
  link: "https://github.com/huggingface/peft/issues/1959",
  find(subject) {
    const { config } = subject;
    const unmatched = unmatchedItems(subject) ?? [];
    // Where nothing matches at all, another check says so once.
    if (adaptsNothing(subject)) return [];
    const plain = unmatched.filter(({ cause }) => cause.kind === "name");
    return plain.map((one): Found => ({
      severity: subject.model?.approximate == null ? "warning" : "hint",
      message: `${one.item.text} matches no module of the base model and is left out without a word.${meant(subject, one)}${approximately(subject)}`,
      range: one.item.range,
      fixes: [
        ...(one.cause.kind === "name" && one.cause.nearest !== null ? fix(`Change to ${one.cause.nearest}`, [renameItem(config, config.targets, one.item, one.cause.nearest)], { isPreferred: true }) : []),
        ...fix(`Remove ${one.item.text} from the targets`, [dropItem(config, config.targets, one.item)]),
      ],
    }));
  },
};

/** "Did you mean k_proj (32 modules of 1024 × 4096)? q_proj matches 32 modules." */
export function meant({ config, model, outcome }: Subject, { cause }: Unmatched): string {
  if (model === null) return "";
  if (cause.kind === "name" && cause.nearest !== null) {
    const { nearest } = cause;
    return ` Did you mean ${nearest} (${membersText(model.modules.filter(({ name }) => endsAs(name, nearest)))})?`;
  }
  const found = namedTargets(config)?.items.find(({ text }) => outcome?.known === true && (outcome.adapted.matched.byTarget.get(text) ?? 0) > 0);
  const count = outcome?.known === true && found !== undefined ? (outcome.adapted.matched.byTarget.get(found.text) ?? 0) : 0;
  return found === undefined ? "" : ` For comparison, ${found.text} matches ${counted(count, "module")}.`;
}
