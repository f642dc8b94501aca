import type { EcosystemId, TrainingConfig } from "../config";
import { type DocumentLanguage } from "../documents/located";
import { readDocument } from "../documents/read";
import { aiToolkit } from "./aiToolkit";
import { axolotl } from "./axolotl";
import { type Ecosystem } from "./ecosystem";
import { hydra } from "./hydra";
import { litgpt } from "./litgpt";
import { llamaFactory, llamaFactoryV1 } from "./llamaFactory";
import { ludwig } from "./ludwig";
import { mlxLm } from "./mlxLm";
import { msSwift } from "./msSwift";
import { nemo, nemoAutomodel } from "./nemo";
import { peftJson } from "./peftJson";
import { peftPython } from "./peftPython";
import { lycoris, sdScripts } from "./sdScripts";
import { torchtune } from "./torchtune";
import { transformersPython } from "./transformersPython";
import { trl } from "./trl";
import { unsloth } from "./unsloth";

/** Every kind of training config. A new one is a file beside these and a line here. */
export const ECOSYSTEMS: readonly Ecosystem[] = [
  peftJson, axolotl, llamaFactory, llamaFactoryV1, torchtune, trl, sdScripts, lycoris, aiToolkit, nemo, nemoAutomodel, msSwift, mlxLm, ludwig, litgpt, hydra,
  peftPython, unsloth, transformersPython,
];

const BY_ID = new Map(ECOSYSTEMS.map((ecosystem) => [ecosystem.id, ecosystem]));

export function ecosystemLabel(id: EcosystemId): string {
  return BY_ID.get(id)?.label ?? id;
}

/** The configs in a text, in the order of the text; empty where there are none. Never throws. */
export function readConfigs(text: string, language: DocumentLanguage, fileName: string): TrainingConfig[] {
  const possible = ECOSYSTEMS.filter((ecosystem) => ecosystem.languages.includes(language) && ecosystem.hint.test(text));
  if (possible.length === 0) return [];
  const document = readDocument(text, language, fileName);
  return possible.flatMap((ecosystem) => ecosystem.configs(document)).toSorted((a, b) => a.section.range.start - b.section.range.start);
}
