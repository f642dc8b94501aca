import type { TargetItem, Targets } from "../config";
import type { Adapted } from "../adapted";
import { endsAs } from "../matching/targets";
import type { Subject } from "./check";
import { modulesMatching, nameEndings, targetNames, withNewPrefix, withOldPrefix, type MovedPrefix } from "./modelNames";
import { nearestName } from "./nearest";

/** Why an item of a list of targets matches nothing, as far as it shows. */
export type Cause =
  | { readonly kind: "expression"; readonly modules: number | null }
  | ({ readonly kind: "moved" } & MovedPrefix)
  | { readonly kind: "experts"; readonly parameters: readonly string[] }
  | { readonly kind: "name"; readonly nearest: string | null };

export interface Unmatched {
  readonly item: TargetItem;
  readonly cause: Cause;
}

type ListTargets = Extract<Targets, { readonly items: unknown }>;

/** What no module's name has, and expressions do. */
const EXPRESSION = /[\\^$*+?()[\]{}|]/;

export function isExpression(text: string): boolean {
  return EXPRESSION.test(text);
}

/** Targets whose items are names of modules as the model has them, by PEFT's rule or another one. */
export function namedTargets({ targets }: Subject["config"]): ListTargets | null {
  if (!("items" in targets) || targets.form === "components" || targets.node === null) return null;
  return targets;
}

/** Every item that matches nothing in the model. Null where that is not known. */
export function unmatchedItems({ config, model, outcome }: Subject): readonly Unmatched[] | null {
  const targets = namedTargets(config);
  if (targets === null || model === null || outcome?.known !== true) return null;
  const names = model.modules.map(({ name }) => name);
  return targets.items.filter((item) => !matches(item, targets, outcome.adapted, names) && !matchesWhenLoaded(item, names)).map((item) => ({ item, cause: causeOf(item, targets, model) }));
}

function matches({ text }: TargetItem, { form }: ListTargets, { matched }: Adapted, names: readonly string[]): boolean {
  switch (form) {
    case "list": return (matched.byTarget.get(text) ?? 0) > 0;
    case "in-layer": return names.some((name) => endsAs(name, text));
    case "substrings": return names.some((name) => name.includes(text)) || isExpression(text);
    case "wildcards": {
      const parts = text.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
      const pattern = new RegExp(`^${parts.join(".*")}$`);
      return names.some((name) => pattern.test(name) || (parts.length === 1 && endsAs(name, text)));
    }
    default: return true;
  }
}

/** The name is that of now, and the file keeps the old one. */
function matchesWhenLoaded({ text }: TargetItem, names: readonly string[]): boolean {
  return withOldPrefix(text).some(({ source }) => names.some((name) => endsAs(name, source)));
}

function causeOf({ text }: TargetItem, { form }: ListTargets, model: NonNullable<Subject["model"]>): Cause {
  if (form === "list" && isExpression(text)) return { kind: "expression", modules: modulesMatching(model, text)?.length ?? null };
  const names = model.modules.map(({ name }) => name);
  const moved = withNewPrefix(text).find(({ source }) => names.some((name) => endsAs(name, source)));
  if (moved !== undefined) return { kind: "moved", ...moved };
  const parameters = model.expertParameters.filter(({ name }) => name.endsWith(`.${text}`) || name.includes(`.${text}.`)).map(({ name }) => name);
  if (parameters.length > 0) return { kind: "experts", parameters };
  const parts = text.split(".").length;
  return { kind: "name", nearest: nearestName(text, parts === 1 ? targetNames(model) : nameEndings(model, parts)) };
}

/** The whole config adapts nothing, also where the model's parts are renamed on loading. */
export function adaptsNothing({ config, model, outcome }: Subject): boolean {
  if (config.targets.form === "regex" && model !== null && withOldPrefix(config.targets.item.text).some(({ source }) => (modulesMatching(model, source)?.length ?? 1) > 0)) return false;
  if (namedTargets(config)?.items.some((item) => matchesWhenLoaded(item, model?.modules.map(({ name }) => name) ?? []))) return false;
  return outcome?.known === true && outcome.adapted.modules.length === 0 && outcome.adapted.expertParameters.length === 0 && outcome.adapted.matched.containers.length === 0;
}

/** Said where names of modules may differ from the file's, in which case nothing is certain. */
export function approximately({ model }: Subject): string {
  return model?.approximate == null ? "" : ` This is approximate: ${model.approximate}.`;
}
