import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { languageByEnding } from "../shared/configLanguage";
import { ANY_BASE, CHARACTERS_AT_MOST, type ConfigFinding, type ConfigReading, type ConfigText } from "../shared/configReading";
import { Fault } from "../shared/fault";
import { CONFIGS_OWN, type ConfigPlan } from "../shared/plannerPage";
import { BaseModels } from "../training/base/baseModels";
import { environmentHere } from "../training/base/resolve";
import type { SyntaxFault } from "../training/documents/syntax";
import { planFile } from "../training/planner/planFile";
import { planTable } from "../training/planner/planTable";
import { brokenAt, readConfig, remarkOf } from "../training/training";
import { printable } from "../engine/printable";
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

/** Larger files are data: no character takes more than 4 bytes. */
const BYTES_AT_MOST = 4 * CHARACTERS_AT_MOST;

/** @returns the exit code: 3 where something is to be corrected. @throws Fault */
export async function checkCommand(paths: readonly string[], { base, json, plan }: CheckFlags): Promise<number> {
  const bases = new BaseModels();
  if (base !== undefined) await assertReadable(base, bases);
  const checked: CheckedFile[] = [];
  for (const path of paths) checked.push(await checkFile(path, base === undefined ? {} : { [ANY_BASE]: resolve(base) }, bases));
  const others = checked.filter(({ reading }) => reading.configs.length === 0 && reading.findings.length === 0);
  if (others.length === checked.length) throw new Fault("unknown-format", `${paths.join(", ")}: no training config that RankLens knows.`, "It knows those of PEFT, axolotl, LLaMA-Factory, torchtune, TRL, unsloth, sd-scripts and others; the documentation lists them.");
  for (const { path } of others) process.stderr.write(`ranklens: ${path} holds no training config that RankLens knows; it is left out.\n`);
  const text = plan ? planTable(await plansOf(checked, bases), json ? "json" : "text") : json ? checkJson(checked) : checkText(checked);
  await new Promise<void>((done) => process.stdout.write(text, () => done()));
  if (plan) return EXIT.done;
  return checked.some(({ reading }) => reading.findings.some(isToCorrect)) ? EXIT.findings : EXIT.done;
}

/** Configs that are checked without the base that was named for them would pass. @throws Fault with the reason why it cannot be read */
async function assertReadable(base: string, bases: BaseModels): Promise<void> {
  await stat(base).catch(() => { throw new Fault("not-found", `${base} does not exist.`, "Check the path of the base model."); });
  const found = await bases.find(null, { ...environmentHere(), folders: [], chosen: resolve(base) });
  switch (found.state) {
    case "found": return;
    case "broken": throw new Fault(found.fault.code, `The base model ${base} cannot be read. ${found.fault.message}`, found.fault.next);
    default: throw new Fault("not-found", `The base model ${base} cannot be read. ${remarkOf(found)}`, "Wait until it is there as a whole, or name another.");
  }
}

/** One plan for each config of each file that can have one; why others have none goes to standard error. @throws Fault where none has */
async function plansOf(checked: readonly CheckedFile[], bases: BaseModels): Promise<ConfigPlan[]> {
  const plans: ConfigPlan[] = [];
  const faults: Fault[] = [];
  for (const { path, source, reading } of checked) {
    for (const config of reading.configs.keys()) {
      await planFile(source, { ...CONFIGS_OWN, config }, bases).then((plan) => plans.push(plan), (error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        faults.push(new Fault(error.code, `${path}: ${error.message}`, `${error.next} --base names a base model.`.trim()));
      });
    }
  }
  const [first] = faults;
  if (plans.length === 0) throw first ?? new Fault("malformed", "No file can be planned for: none parses.", "ranklens check says where.");
  for (const { message, next } of faults) process.stderr.write(`ranklens: ${printable(`${message} ${next}`)}\n`);
  return plans;
}

const isToCorrect = ({ severity }: ConfigFinding): boolean => severity === "error" || severity === "warning";

async function checkFile(path: string, chosenBases: Record<string, string>, bases: BaseModels): Promise<CheckedFile> {
  const language = languageByEnding(path);
  if (language === null) throw new Fault("unknown-format", `${path} is no YAML, JSON, TOML or Python file by its ending.`, "Training configs are written in these.");
  const text = await readText(path);
  const source: ConfigText = { text, language, fileName: basename(path), folders: [dirname(resolve(path)), process.cwd()], chosenBases };
  const reading = await readConfig(source, bases);
  const broken = brokenAt(source);
  return { path, text, source, reading: broken === null ? reading : { ...reading, findings: [doesNotParse(source, broken), ...reading.findings] } };
}

/** Editors say so by themselves; a terminal must not call such a file right. */
function doesNotParse({ language, text }: ConfigText, { at, what }: SyntaxFault): ConfigFinding {
  const start = Math.min(at, text.length);
  const message = `It does not parse as ${LANGUAGES[language]} (${what.replace(/[.\s]+$/, "")}), and is not checked until it does.`;
  return { code: "syntax", severity: "error", message, range: { start, end: start }, link: "", fixes: [] };
}

const LANGUAGES: Readonly<Record<ConfigText["language"], string>> = { yaml: "YAML", json: "JSON", toml: "TOML", python: "Python" };

async function readText(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error); });
  if (found.isDirectory()) throw new Fault("is-a-folder", `${path} is a folder.`, "Name the config files in it.");
  if (found.size > BYTES_AT_MOST) throw tooLarge(path);
  // Of the UTF-8 text without its byte order mark, which no position counts.
  const text = (await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error); })).replace(/^\uFEFF/, "");
  if (text.length > CHARACTERS_AT_MOST) throw tooLarge(path);
  return text;
}

function tooLarge(path: string): Fault {
  return new Fault("too-large", `${path} is too large for a training config: more than ${CHARACTERS_AT_MOST.toLocaleString("en")} characters.`, "Keep data in files of their own.");
}

function unreadable(path: string, error: NodeJS.ErrnoException): Fault {
  return error.code === "ENOENT" ? new Fault("not-found", `${path} does not exist.`, "Check the path.") : new Fault("unreadable", `${path} cannot be read (${error.code ?? error.message}).`, "Check its permissions.");
}
