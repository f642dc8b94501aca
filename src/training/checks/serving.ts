import { isOn, placeOf, type Check, type Found } from "./check";

/** vLLM's `--max-lora-rank` where it is not given, and the largest that it takes (vllm/config/lora.py). */
const DEFAULT_MOST = 16;
const ALLOWED = [8, 16, 32, 64, 128, 256, 320, 512];

/** Of an adapter that is done: what vLLM asks of the adapters it serves. */
export const serving: Check = {
  code: "serving-vllm",
  link: "https://github.com/vllm-project/vllm/issues/2847",
  find({ config }) {
    if (config.ecosystem !== "peft-json" || config.method !== "lora") return [];
    const found: Found[] = [];
    if (isOn(config.useDora)) found.push({ severity: "information", message: "vLLM does not load DoRA adapters: merge this one into its base model to serve it there.", range: placeOf(config, config.useDora), fixes: [] });
    const saved = config.modulesToSave;
    if (saved !== null && "items" in saved && saved.items.length > 0) {
      found.push({ severity: "information", message: "vLLM does not load adapters with modules_to_save: merge this one into its base model to serve it there.", range: placeOf(config, saved), fixes: [] });
    }
    const ranks = [config.rank.value ?? 0, ...config.rankPattern.entries.map(({ value }) => value ?? 0)];
    const most = Math.max(...ranks);
    const allowed = ALLOWED.find((each) => each >= most);
    if (most > DEFAULT_MOST) {
      const advice = allowed === undefined ? `vLLM serves ranks up to ${ALLOWED.at(-1)!}: merge the adapter, or convert it to a smaller rank` : `start vLLM with --max-lora-rank ${allowed}`;
      found.push({ severity: allowed === undefined ? "information" : "hint", message: `Rank ${most} is above ${DEFAULT_MOST}, vLLM's usual limit: ${advice}.`, range: placeOf(config, config.rank), fixes: [] });
    }
    return found;
  },
};
