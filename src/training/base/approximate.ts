import type { ModelConfig } from "./modelConfig";

const EXPERT_MODULES = /\.experts\.\d+\./;
const MOVED_PREFIX = /^(?:language_model\.|model\.language_model\.|visual\.|vision_tower\.|model\.visual\.)/;
/** A file of the model without its head begins with one of these; with a head they lie below the model's own prefix. */
const WITHOUT_PREFIX = /^(?:h|layers|layer|blocks|block|encoder|decoder|embeddings|wte|word_embeddings|embed_tokens)(?:\.|$)/;
const WITH_HEAD = /(?:ForCausalLM|LMHeadModel|ForSequenceClassification|ForMaskedLM|ForTokenClassification|ForQuestionAnswering)$/;

/** Why the modules that a framework makes of the file may have other names than its tensors; null where nothing says so. */
export function whyApproximate(names: readonly string[], { architectures }: ModelConfig): string | null {
  if (names.some((name) => EXPERT_MODULES.test(name))) return "transformers 5 fuses the experts, which are modules of their own in the file";
  if (names.some((name) => MOVED_PREFIX.test(name))) return "transformers 4.52 moved the prefixes of models that see and read";
  if (architectures.some((name) => WITH_HEAD.test(name)) && names.length > 0 && names.every((name) => WITHOUT_PREFIX.test(name) || !name.includes("."))) {
    return "the file leaves out the prefix that the model's own modules have";
  }
  return null;
}
