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

/**
 * Prefixes of models that see and read, before and since transformers 4.52. Files on the hub keep the old ones, and are
 * renamed when they are loaded (`_checkpoint_conversion_mapping`).
 */
const MOVED: readonly (readonly [old: string, now: string])[] = [
  ["language_model.model.", "model.language_model."], ["visual.", "model.visual."], ["vision_tower.", "model.vision_tower."], ["multi_modal_projector.", "model.multi_modal_projector."],
];
/** Models of transformers whose parts were moved. */
const MOVED_MODELS = new Set([
  "llava", "llava_next", "llava_next_video", "llava_onevision", "video_llava", "vipllava", "gemma3", "mllama", "mistral3", "paligemma", "aya_vision", "got_ocr2", "internvl",
  "qwen2_vl", "qwen2_5_vl",
]);

export interface MovedPrefix {
  readonly old: string;
  readonly now: string;
  /** The name or pattern with the other prefix. */
  readonly source: string;
}

/** A name or pattern with an old prefix, as it is now. Dots may be written as `\.` */
export function withNewPrefix(source: string): MovedPrefix[] {
  return MOVED.flatMap(([old, now]) => replaced(source, old, now).map((text) => ({ old, now, source: text })));
}

/** A name or pattern with a prefix of now, as the files have it. */
export function withOldPrefix(source: string): MovedPrefix[] {
  return MOVED.flatMap(([old, now]) => replaced(source, now, old).map((text) => ({ old, now, source: text })));
}

/** Whether transformers gives this model other prefixes than its file has. */
export function isRenamedOnLoading({ modelType, modules }: ModelModules): boolean {
  return modelType !== null && MOVED_MODELS.has(modelType) && modules.some(({ name }) => MOVED.some(([old]) => name.startsWith(old)));
}

function replaced(source: string, from: string, to: string): string[] {
  for (const [written, other] of [[from, to], [from.replaceAll(".", "\\."), to.replaceAll(".", "\\.")]] as const) {
    const at = source.indexOf(written);
    // Within a longer name it is no prefix: "model.visual." holds "visual."
    if (at >= 0 && !/[\w.]$/.test(source.slice(0, at).replace(/(?:\.\*|\.\+)$/, ""))) return [source.slice(0, at) + other + source.slice(at + written.length)];
  }
  return [];
}
