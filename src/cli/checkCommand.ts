import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { languageByEnding } from "../shared/configLanguage";
import type { ConfigFinding, ConfigReading, ConfigText } from "../shared/configReading";
import { Fault } from "../shared/fault";
import { CONFIGS_OWN, type ConfigPlan } from "../shared/plannerPage";
import { BaseModels } from "../training/base/baseModels";
import { planFile } from "../training/planner/planFile";
import { planTable } from "../training/planner/planTable";
import { ANY_BASE, readConfig } from "../training/training";
import { checkJson, checkText } from "./checkReport";
import { EXIT } from "./exitCodes";

/** Options of `ranklens check`, as commander parses them. */
export interface CheckFlags {
  readonly base?: string;
  readonly json: boolean;
  /** What every method costs, instead of what is wrong. */
  readonly plan: boolean;
}

/** A file and what there is to say about it. */
export interface CheckedFile {
  readonly path: string;
  readonly text: string;
  readonly source: ConfigText;
  readonly reading: ConfigReading;
}

/** Larger files are data. */
const BYTES_AT_MOST = 4 * 1024 * 1024;

/** @returns the exit code: 3 where something is to be corrected. @throws Fault */
export async function checkCommand(paths: readonly string[], { base, json, plan }: CheckFlags): Promise<number> {
  if (base !== undefined) await stat(base).catch(() => { throw new Fault("not-found", `${base} does not exist.`, "Check the path of the base model."); });
  const bases = new BaseModels();
  const checked: CheckedFile[] = [];
  for (const path of paths) checked.push(await checkFile(path, base === undefined ? {} : { [ANY_BASE]: resolve(base) }, bases));
  const others = checked.filter(({ reading }) => reading.configs.length === 0);
  if (others.length === checked.length) throw new Fault("unknown-format", `${paths.join(", ")}: no training config that RankLens knows.`, "It knows those of PEFT, axolotl, LLaMA-Factory, torchtune, TRL, unsloth, sd-scripts and others; the documentation lists them.");
  for (const { path } of others) process.stderr.write(`ranklens: ${path} holds no training config that RankLens knows; it is left out.\n`);
  const text = plan ? planTable(await plansOf(checked, bases), json ? "json" : "text") : json ? checkJson(checked) : checkText(checked);
  await new Promise<void>((done) => process.stdout.write(text, () => done()));
  if (plan) return EXIT.done;
  return checked.some(({ reading }) => reading.findings.some(isToCorrect)) ? EXIT.findings : EXIT.done;
}

/** One plan for each config of each file. @throws Fault of `planFile` */
async function plansOf(checked: readonly CheckedFile[], bases: BaseModels): Promise<ConfigPlan[]> {
  const plans: ConfigPlan[] = [];
  for (const { source, reading } of checked) {
    for (const config of reading.configs.keys()) plans.push(await planFile(source, { ...CONFIGS_OWN, config }, bases));
  }
  return plans;
}

const isToCorrect = ({ severity }: ConfigFinding): boolean => severity === "error" || severity === "warning";

async function checkFile(path: string, chosenBases: Record<string, string>, bases: BaseModels): Promise<CheckedFile> {
  const language = languageByEnding(path);
  if (language === null) throw new Fault("unknown-format", `${path} is no YAML, JSON, TOML or Python file by its ending.`, "Training configs are written in these.");
  const text = await readText(path);
  const source: ConfigText = { text, language, fileName: basename(path), folders: [dirname(resolve(path)), process.cwd()], chosenBases };
  return { path, text, source, reading: await readConfig(source, bases) };
}

async function readText(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error); });
  if (found.isDirectory()) throw new Fault("is-a-folder", `${path} is a folder.`, "Name the config files in it.");
  if (found.size > BYTES_AT_MOST) throw new Fault("too-large", `${path} is too large for a training config (${found.size} bytes).`, "");
  // Of the UTF-8 text without its byte order mark, which no position counts.
  return (await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error); })).replace(/^\uFEFF/, "");
}

function unreadable(path: string, error: NodeJS.ErrnoException): Fault {
  return error.code === "ENOENT" ? new Fault("not-found", `${path} does not exist.`, "Check the path.") : new Fault("unreadable", `${path} cannot be read (${error.code ?? error.message}).`, "Check its permissions.");
}
