import type { BaseModule, ModelModules } from "../base/modelModules";
import { lastPart } from "../hints/moduleGroups";
import { PythonPattern } from "../matching/python/pattern";

/** Modules that an adapter can be put on. */
export function adaptable({ modules }: ModelModules): BaseModule[] {
  return modules.filter(({ kind }) => kind === "linear" || kind === "embedding" || kind === "conv" || kind === "conv_transpose");
}

/** What a list of targets may hold: the last parts of adaptable modules' names. */
export function targetNames(model: ModelModules): string[] {
  return [...new Set(adaptable(model).map(({ name }) => lastPart(name)))];
}

/** Every ending of every adaptable module's name, whole parts only. */
export function nameEndings(model: ModelModules, parts: number): string[] {
  const found = new Set<string>();
  for (const { name } of adaptable(model)) found.add(name.split(".").slice(-parts).join("."));
  return [...found];
}

/** How many modules an expression matches as a whole; null where Python refuses it or it is not decided. */
export function modulesMatching(model: ModelModules, source: string): readonly BaseModule[] | null {
  const pattern = PythonPattern.of(source);
  return pattern instanceof PythonPattern ? adaptable(model).filter(({ name }) => pattern.matchesAll(name)) : null;
}

/** Prefixes that transformers 4.52 gave to models that see and read, either way. */
const MOVED: readonly (readonly [from: string, to: string])[] = [
  ["language_model.model.", "model.language_model."], ["model.language_model.", "language_model.model."],
  ["visual.", "model.visual."], ["vision_tower.", "model.vision_tower."], ["multi_modal_projector.", "model.multi_modal_projector."],
  ["model.visual.", "visual."], ["model.vision_tower.", "vision_tower."], ["model.multi_modal_projector.", "multi_modal_projector."],
];

/** The same name or pattern with each of the prefixes moved, where it has one. Dots may be written as `\.` */
export function withMovedPrefix(source: string): { readonly from: string; readonly to: string; readonly source: string }[] {
  return MOVED.flatMap(([from, to]) => {
    for (const written of [from, from.replaceAll(".", "\\.")]) {
      const at = source.indexOf(written);
      // Within a longer name it is no prefix: "model.visual." holds "visual."
      if (at < 0 || /[\w.]$/.test(source.slice(0, at).replace(/(?:\.\*|\.\+|\\\.)$/, ""))) continue;
      return [{ from, to, source: source.slice(0, at) + (written === from ? to : to.replaceAll(".", "\\.")) + source.slice(at + written.length) }];
    }
    return [];
  });
}
