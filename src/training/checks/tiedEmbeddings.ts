import type { TargetItem } from "../config";
import { entryOf } from "../documents/located";
import { dropItem, fix } from "../fixes/fix";
import { endsAs } from "../matching/targets";
import { placeOf, type Check, type Found, type Subject } from "./check";

/** PEFT's switch, and axolotl's name for it: with it PEFT keeps the two equal. */
const TYING_KEYS = ["ensure_weight_tying", "peft_ensure_weight_tying"];

/** The embedding and the output head share one weight, and only one of them is adapted, or both in different ways. */
export const tiedEmbeddings: Check = {
  code: "tied-embeddings",
  link: "https://github.com/huggingface/peft/issues/2018",
  find(subject) {
    const { config, model, outcome } = subject;
    if (model === null || model.tiedEmbeddings !== true || outcome?.known !== true) return [];
    if (TYING_KEYS.some((key) => { const value = entryOf(config.section, key)?.value; return value !== undefined && !(value.kind === "scalar" && value.value === false); })) return [];
    const tied = model.modules.find(({ tiedTo }) => tiedTo.length > 0);
    const names = tied === undefined ? [] : [tied.name, ...tied.tiedTo];
    const adapted = outcome.adapted.modules.map(({ module }) => module.name).filter((name) => names.includes(name));
    const [first] = adapted;
    if (first === undefined) return [];
    const items = itemsFor(subject, adapted);
    return [{
      severity: "warning",
      message: `${names.join(" and ")} share one weight in this model: an adapter on ${adapted.join(" and ")} trains ${adapted.length > 1 ? "two updates of it that differ" : "an update that the other does not have"}, and merging it changes both.`,
      range: items[0]?.range ?? placeOf(config, config.targets),
      fixes: removal(subject, items),
    }];
  },
};

function itemsFor({ config: { targets } }: Subject, names: readonly string[]): readonly TargetItem[] {
  return targets.form === "list" ? targets.items.filter(({ text }) => names.some((name) => endsAs(name, text))) : [];
}

function removal({ config }: Subject, items: readonly TargetItem[]): Found["fixes"] {
  const [item, second] = items;
  return item === undefined || second !== undefined ? [] : fix(`Remove ${item.text} from the targets`, [dropItem(config, config.targets, item)]);
}
