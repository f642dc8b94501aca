import type { EcosystemId } from "../config";
import { setEntry } from "../documents/edits/edits";
import { fix } from "../fixes/fix";
import { counted, listed, placeOf, type Check, type Found, type Subject } from "./check";

/** transformers' trainer does it, and these call it with the same names. */
const OF_TRANSFORMERS: ReadonlySet<EcosystemId> = new Set(["transformers", "trl", "axolotl"]);
const NAMES = { galore: "GaLore", "q-galore": "Q-GaLore", apollo: "APOLLO" } as const;

/** transformers raises without targets: "You need to define `optim_target_modules`". */
export const projectionWithoutTargets: Check = {
  code: "projection-without-targets",
  link: "https://huggingface.co/docs/transformers/optimizers#galore",
  find({ config }) {
    const { projected, name } = config.optimizer;
    if (projected === null || !OF_TRANSFORMERS.has(config.ecosystem) || projected.targets.form !== "default" || projected.targets.node !== null || projected.family === "q-galore") return [];
    const key = projected.keys.targets ?? "optim_target_modules";
    const value = config.ecosystem === "axolotl" ? "all_linear" : "all-linear";
    return [{
      severity: "error",
      message: `${NAMES[projected.family]} needs ${key}, the layers whose gradients are projected: without it training stops.`,
      range: placeOf(config, name),
      fixes: fix(`Add ${key} with all linear layers`, [setEntry(config.document, projected.section, key, value, name.entry)], { isPreferred: true }),
    }];
  },
};

/** What is no linear layer is trained without projection. */
export const projectionNotLinear: Check = {
  code: "projection-not-linear",
  link: "https://github.com/huggingface/transformers/issues/32249",
  find({ config, model }: Subject) {
    const { projected } = config.optimizer;
    if (projected === null || model === null || projected.targets.form !== "substrings") return [];
    const { targets } = projected;
    return targets.items.flatMap(({ text, range }): Found[] => {
      // Expressions are allowed there too, and matched as a whole.
      if (!/^[\w.]+$/.test(text)) return [];
      const matched = model.modules.filter(({ name }) => name.includes(text));
      const linear = matched.filter(({ kind }) => kind === "linear");
      if (linear.length > 0) return [];
      if (matched.length === 0) {
        if ([...model.containers, ...model.expertParameters.map(({ name }) => name)].some((name) => name.includes(text))) return [];
        return [{ severity: model.approximate === null ? "warning" : "hint", message: `No module has ${text} in its name: nothing is projected for it.`, range, fixes: [] }];
      }
      const kinds = listed([...new Set(matched.map(({ kind }) => kind))]);
      return [{ severity: "information", message: `${text} matches ${counted(matched.length, "module")} and no linear layer (${kinds}): ${NAMES[projected.family]} projects only linear ones, the others are trained whole.`, range, fixes: [] }];
    });
  },
};

/** One layer's gradient is used up at a time: there is nothing to accumulate. */
export const layerWiseAccumulation: Check = {
  code: "layerwise-accumulation",
  link: "https://github.com/huggingface/transformers/issues/32249",
  find({ config }) {
    const { projected, gradientAccumulation } = config.optimizer;
    const steps = gradientAccumulation.value;
    if (projected === null || projected.layerWise.value !== true || steps === null || steps <= 1) return [];
    const edit = gradientAccumulation.entry === null ? null : setEntry(config.document, config.section, gradientAccumulation.entry.key, 1);
    return [{
      severity: "error",
      message: `Layer-wise ${NAMES[projected.family]} updates each layer as soon as its gradient is there and cannot accumulate ${steps} steps: training stops.`,
      range: placeOf(config, gradientAccumulation),
      fixes: fix("Accumulate no gradients (1 step)", [edit]),
    }];
  },
};
