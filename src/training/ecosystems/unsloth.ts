import type { Targets } from "../config";
import { type Ecosystem } from "./ecosystem";
import { PEFT_KEYS, peftSettings } from "./peftKeys";
import { loadedBase, loadedQuantization } from "./pythonCalls";
import { withNamedQuantization } from "./quantization";
import { trainingConfig } from "./trainingConfig";

const CALL = /(?:^|\.)Fast(?:Language|Vision|)Model\.get_peft_model$/;
const NAMES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
const ABSENT_TARGETS: Targets = { form: "components", items: NAMES.map((text) => ({ text, range: { start: 0, end: 0 } })), node: null, entry: null, complete: true };

export const unsloth: Ecosystem = {
  id: "unsloth",
  label: "unsloth",
  languages: ["python"],
  hint: /get_peft_model/,
  configs(document) {
    const base = loadedBase(document);
    const quantization = withNamedQuantization(loadedQuantization(document), base);
    return document.calls.filter(({ call }) => CALL.test(call?.name ?? "")).map((call) => {
      const isVision = /Vision|FastModel/.test(call.call?.name ?? "");
      const absent: Targets = isVision ? { form: "unknown", node: null, entry: null } : ABSENT_TARGETS;
      return trainingConfig("unsloth", document, call, PEFT_KEYS, { ...peftSettings(document, call, PEFT_KEYS, { rank: 16, alpha: 16, dropout: 0 }, { absent }), base, quantization });
    });
  },
};
