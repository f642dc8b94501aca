import { fix, dropItem } from "../fixes/fix";
import { countText } from "../../shared/figures";
import { type Check, type Found } from "./check";
import { endsAs } from "../matching/targets";

const WHOLE = new Set(["embed_tokens", "lm_head"]);

/** Older versions left these out without a word, newer ones train them whole. */
export const unslothEmbeddings: Check = {
  code: "unsloth-embedding-target",
  link: "https://github.com/unslothai/unsloth/pull/9331",
  find({ config, model }) {
    const { targets } = config;
    if (config.ecosystem !== "unsloth" || targets.form !== "list") return [];
    return targets.items.filter(({ text }) => WHOLE.has(text)).map((item): Found => {
      const module = model?.modules.find(({ name }) => endsAs(name, item.text));
      const size = module === undefined ? "" : ` (${countText(module.parameters)} parameters)`;
      return {
        severity: "information",
        message: `unsloth puts no adapter on ${item.text}: until August 2026 it was left out without a word, since then it is moved to modules_to_save and trained whole${size}.`,
        range: item.range,
        fixes: fix(`Remove ${item.text} from the targets`, [dropItem(config, targets, item)]),
      };
    });
  },
};
