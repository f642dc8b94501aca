import { type Ecosystem } from "./ecosystem";
import { NO_OPTIMIZER, trainingConfig } from "./trainingConfig";
import { transformersOptimizer } from "./optimizer";
import { CLASS_CALL, methodOfClass } from "./peftClasses";
import { peftMethod } from "./peftKeys";
import { callsOf, lastPart, loadedBase, loadedQuantization } from "./pythonCalls";
import { withNamedQuantization } from "./quantization";

/** Other libraries have classes of the same names: the file must speak of PEFT. */
const NAMES_PEFT = /\bpeft\b/;

export const peftPython: Ecosystem = {
  id: "peft-python",
  label: "PEFT",
  languages: ["python"],
  hint: CLASS_CALL,
  configs(document) {
    if (!NAMES_PEFT.test(document.text)) return [];
    const base = loadedBase(document);
    const quantization = withNamedQuantization(loadedQuantization(document), base);
    const [training] = callsOf(document, (name) => TRAINING.test(name));
    return callsOf(document, (name) => methodOfClass(name) !== null).map((call) => {
      const { keys, own } = peftMethod(document, call, methodOfClass(lastPart(call.call?.name ?? "")) ?? "lora");
      return trainingConfig("peft-python", document, call, keys, { ...own, base, quantization, optimizer: training === undefined ? NO_OPTIMIZER : { ...transformersOptimizer(document, training), projected: null } });
    });
  },
};

/** transformers' and TRL's classes of training arguments. */
export const TRAINING = /^(?:\w*TrainingArguments|(?:SFT|DPO|GRPO|KTO|ORPO|CPO|RLOO|PPO|Reward|GKD|BCO|OnlineDPO)Config)$/;
