import { type Ecosystem } from "./ecosystem";
import { transformersOptimizer } from "./optimizer";
import { TRAINING } from "./peftPython";
import { callsOf, loadedBase } from "./pythonCalls";
import { numberSetting } from "./settings";
import { trainingConfig } from "./trainingConfig";

/** Training arguments with an optimizer that projects gradients; others say nothing of ranks. */
export const transformersPython: Ecosystem = {
  id: "transformers",
  label: "transformers",
  languages: ["python"],
  hint: /galore|apollo/i,
  configs(document) {
    return callsOf(document, (name) => TRAINING.test(name)).flatMap((call) => {
      const optimizer = transformersOptimizer(document, call);
      if (optimizer.projected === null) return [];
      return [trainingConfig("transformers", document, call, {}, { method: "full", base: loadedBase(document), optimizer, sequenceLength: numberSetting(call, "max_length") })];
    });
  },
};
