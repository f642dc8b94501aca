import { environmentHere, type BasePlaces } from "./base/resolve";
import type { BaseModel, BaseModels } from "./base/baseModels";
import type { ModelModules } from "./base/modelModules";
import { adaptedBy } from "./adapted";
import { findingsOf } from "./checks/checks";
import type { TrainingConfig } from "./config";
import { syntaxFault, type SyntaxFault } from "./documents/syntax";
import { ecosystemLabel, readConfigs } from "./ecosystems/ecosystems";
import { completionsAt } from "./hints/completions";
import { countsText } from "./hints/counts";
import { hoversOf } from "./hints/hovers";
import { inlayHintsOf } from "./hints/inlayHints";
import { rankChoicePlace } from "./rewrites/differenceRanks";
import { rewritesOf } from "./rewrites/rewrites";
import { ANY_BASE, type ConfigBase, type ConfigCompletion, type ConfigFacts, type ConfigReading, type ConfigText, type TextRange } from "../shared/configReading";

/** Everything that is known of a text of training configs. Never throws for what the text or a model says. */
export async function readConfig(source: ConfigText, bases: BaseModels): Promise<ConfigReading> {
  const configs = readConfigs(source.text, source.language, source.fileName);
  const read = await Promise.all(configs.map(async (config, index) => readOne(config, index, await baseOf(config, source, bases))));
  return {
    configs: read.map(({ facts }) => facts),
    findings: read.flatMap(({ findings }) => findings),
    rewrites: read.flatMap(({ rewrites }) => rewrites),
    rankChoices: read.flatMap(({ rankChoices }) => rankChoices),
    hovers: read.flatMap(({ hovers }) => hovers),
    hints: read.flatMap(({ hints }) => hints),
  };
}

/** @param at where the cursor stands, in UTF-16 code units */
export async function completeConfig(source: ConfigText, at: number, bases: BaseModels): Promise<readonly ConfigCompletion[]> {
  const found = await Promise.all(readConfigs(source.text, source.language, source.fileName).map(async (config) => {
    const base = await baseOf(config, source, bases);
    return base.state === "found" ? completionsAt(config, base.modules, at) : [];
  }));
  return found.flat();
}

/** The base model that a config names, by the person's choice or where the config says. */
export function baseOf(config: TrainingConfig, { folders, chosenBases }: Pick<ConfigText, "folders" | "chosenBases">, bases: BaseModels): Promise<BaseModel> {
  const name = config.base?.name.value ?? null;
  const places: BasePlaces = { ...environmentHere(), folders, chosen: (name === null ? null : chosenBases[name]) ?? chosenBases[ANY_BASE] ?? null };
  return bases.find(name === null ? null : { text: name, revision: config.base?.revision.value ?? null }, places);
}

/** Where a text does not parse, so that nothing is checked in it: in Python, a call that is a config. */
export function brokenAt({ text, language, fileName }: Pick<ConfigText, "text" | "language" | "fileName">): SyntaxFault | null {
  if (language !== "python") return syntaxFault(text, language);
  const broken = readConfigs(text, language, fileName).find(({ section }) => section.completeness === "broken");
  return broken === undefined ? null : { at: broken.section.range.start, what: "the call is not complete" };
}

interface ReadConfig extends Omit<ConfigReading, "configs"> {
  readonly facts: ConfigFacts;
}

function readOne(config: TrainingConfig, index: number, base: BaseModel): ReadConfig {
  const model = base.state === "found" ? base.modules : null;
  const outcome = model === null ? null : adaptedBy(config, model);
  const adapted = outcome?.known === true ? outcome.adapted : null;
  return {
    facts: { ecosystem: ecosystemLabel(config.ecosystem), range: headOf(config), base: baseFacts(config, base, model), counts: adapted === null || model === null ? null : countsText(config, adapted, model) },
    findings: findingsOf(config, model, outcome),
    rewrites: rewritesOf(config, adapted, model),
    rankChoices: adapted === null ? [] : [rankChoicePlace(config, adapted) ?? []].flat().map((range) => ({ config: index, range })),
    hovers: hoversOf(config, adapted, model),
    hints: adapted === null || model === null ? [] : inlayHintsOf(config, adapted, model),
  };
}

/** Where a config begins for a reader: at its base model, or at its section. */
function headOf({ base, section, document }: TrainingConfig): TextRange {
  const name = base?.name.entry;
  if (document.language !== "python" && name != null && !name.borrowed) return name.range;
  return section.call?.range ?? section.range;
}

function baseFacts(config: TrainingConfig, base: BaseModel, model: ModelModules | null): ConfigBase {
  return { name: config.base?.name.value ?? null, state: base.state, path: model?.path ?? null, remark: remarkOf(base) };
}

/** What is to be told of a base model beside its name: why it cannot be read, where it cannot. */
export function remarkOf(base: BaseModel): string {
  switch (base.state) {
    case "found": return base.modules.approximate ?? "";
    case "absent": return base.text === "" ? "The config names no base model." : `${base.text} was not found in ${base.looked.join(", ")}.`;
    case "downloading": return base.missing.length === 0 ? `The model in ${base.folder} is not whole yet.` : `The model in ${base.folder} lacks ${base.missing.length === 1 ? base.missing[0]! : `${base.missing.length} files, such as ${base.missing[0]!}`}.`;
    case "broken": return `${base.fault.message} ${base.fault.next}`.trim();
  }
}
