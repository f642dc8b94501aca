import { dropItem, fix, setSetting, setValue } from "../fixes/fix";
import { counted, listed, placeOf, type Check, type Found } from "./check";
import { nearestName } from "./nearest";
import { approximately, unmatchedItems, adaptsNothing } from "./unmatched";

/** Experts that are stacked in one parameter are no modules: they need `target_parameters`. */
export const fusedExperts: Check = {
  code: "fused-experts",
  link: "https://github.com/huggingface/peft/issues/3009",
  find(subject) {
    const { config, model, outcome } = subject;
    const found: Found[] = (unmatchedItems(subject) ?? []).flatMap(({ item, cause }): Found[] => {
      if (cause.kind !== "experts") return [];
      const names = [...new Set(cause.parameters.map((name) => name.slice(name.search(/[^.]+\.[^.]+$/))))];
      const written = [...new Set([...(config.targetParameters.value ?? []), ...names])];
      return [{
        severity: adaptsNothing(subject) ? "error" : "warning",
        message: `${item.text} is no module here: the experts are stacked in ${counted(cause.parameters.length, "parameter")}, such as ${cause.parameters[0]!}, which ${config.keys.targetParameters ?? "target_parameters"} adapts.`,
        range: item.range,
        fixes: config.targetParameters.node !== null && config.targetParameters.value === null ? [] : fix(`Write ${listed(names)} in ${config.keys.targetParameters ?? ""}`, [setSetting(config, "targetParameters", written), dropItem(config, config.targets, item)]),
      }];
    });
    if (model === null || outcome?.known !== true || config.targetParameters.value === null || model.expertParameters.length === 0) return found;
    const parameters = [...new Set(model.expertParameters.map(({ name }) => name.slice(name.search(/[^.]+\.[^.]+$/))))];
    const unmatched = config.targetParameters.value.filter((name) => (outcome.adapted.matched.byParameter.get(name) ?? 0) === 0);
    return [...found, ...unmatched.map((name): Found => {
      const near = nearestName(name, parameters);
      return { severity: model.approximate === null ? "warning" : "hint", message: `${name} matches no parameter of the experts: they are ${listed(parameters)}.${near === null ? "" : ` Did you mean ${near}?`}${approximately(subject)}`, range: placeOf(config, config.targetParameters), fixes: [] };
    })];
  },
};

/** Dropout works on inputs, which stacked experts do not have one by one: PEFT raises an error. */
export const expertDropout: Check = {
  code: "expert-dropout",
  link: "https://github.com/huggingface/peft/issues/3009",
  find({ config }) {
    const { dropout, targetParameters } = config;
    if ((targetParameters.value?.length ?? 0) === 0 || dropout.value === null || dropout.value === 0 || config.method !== "lora" || config.ecosystem === "ms-swift") return [];
    const edit = dropout.node === null ? setSetting(config, "dropout", 0) : setValue(config, dropout, 0);
    return [{
      severity: "error",
      message: `A dropout of ${dropout.value} cannot be used with ${config.keys.targetParameters ?? "target_parameters"}: PEFT raises an error.`,
      range: placeOf(config, dropout.node === null ? targetParameters : dropout),
      fixes: fix("Set the dropout to 0", [edit], { isPreferred: true, isSafe: true }),
    }];
  },
};
