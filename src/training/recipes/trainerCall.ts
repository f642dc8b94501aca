import type { SyntaxNode } from "@lezer/common";
import type { TrainingStyle } from "../../shared/recipe";
import type { TextEdit } from "../documents/located";
import { importedNames } from "./imports";
import { argumentsOf, children, type Script } from "./script";

export type TrainerStyle = Exclude<TrainingStyle, "loop">;

/** A call that makes the Trainer of Lightning or of Hugging Face. */
export interface TrainerCall {
  readonly style: TrainerStyle;
  readonly call: SyntaxNode;
  /** The statement `trainer = Trainer(…)`, and that variable. Null where the call stands elsewhere. */
  readonly assigned: { readonly statement: SyntaxNode; readonly variable: string } | null;
}

/** Packages whose classes `…Trainer` are transformers' Trainer or built on it. */
const HUGGING_FACE = ["transformers", "trl", "sentence_transformers", "unsloth", "optimum"];
const LIGHTNING = ["lightning", "pytorch_lightning"];
/** What these names mean where a notebook imports them in another cell. */
const CUSTOMARY: readonly (readonly [string, string])[] = [["pl", "pytorch_lightning"], ["L", "lightning"]];

/** The Trainer that trains: the one whose `fit` or `train` is called, else the first. Null where there is none. */
export function findTrainerCall(script: Script): TrainerCall | null {
  const names = new Map([...CUSTOMARY, ...importedNames(script)]);
  for (const definition of script.nodes("ClassDefinition")) {
    // A class of the file's own stands for the first class that it is made from.
    const base = definition.getChild("ArgList");
    const first = base === null ? undefined : children(base).find(({ name }) => name === "VariableName" || name === "MemberExpression");
    const own = definition.getChild("VariableName");
    if (first !== undefined && own !== null) names.set(script.textOf(own), wholeName(script.textOf(first), names));
  }
  const calls = script.nodes("CallExpression").flatMap((call): TrainerCall[] => {
    const style = styleOf(script, call, names);
    return style === null ? [] : [{ style, call, assigned: assignmentOf(script, call) }];
  });
  const trains = calls.find(({ assigned }) => assigned !== null && new RegExp(`(?<![\\w.])${escaped(assigned.variable)}\\.(fit|train)\\(`).test(script.text));
  return trains ?? calls[0] ?? null;
}

function styleOf(script: Script, call: SyntaxNode, names: ReadonlyMap<string, string>): TrainerStyle | null {
  const callee = call.firstChild;
  if (callee === null || (callee.name !== "VariableName" && callee.name !== "MemberExpression")) return null;
  const whole = wholeName(script.textOf(callee), names);
  const root = whole.split(".")[0]!;
  if (LIGHTNING.includes(root) && whole.endsWith(".Trainer")) return "lightning";
  if (!whole.endsWith("Trainer")) return null;
  if (HUGGING_FACE.includes(root)) return "huggingface";
  // Somebody's own trainer, imported: its arguments tell.
  return argumentsOf(script, call).some(({ keyword }) => keyword === "train_dataset") ? "huggingface" : null;
}

function wholeName(name: string, names: ReadonlyMap<string, string>): string {
  const [root = "", ...rest] = name.split(".");
  return [names.get(root) ?? root, ...rest].join(".");
}

function assignmentOf(script: Script, call: SyntaxNode): TrainerCall["assigned"] {
  const statement = call.parent;
  const target = statement?.firstChild;
  if (statement?.name !== "AssignStatement" || target === null || target === undefined) return null;
  return target.name === "VariableName" || target.name === "MemberExpression" ? { statement, variable: script.textOf(target) } : null;
}

/** Adds one callback to the call. Null where only a run tells what its callbacks are, and the Trainer has no name. */
export function callbackEdit(script: Script, { style, call, assigned }: TrainerCall, callback: string): TextEdit | null {
  const given = argumentsOf(script, call);
  const callbacks = given.find(({ keyword }) => keyword === "callbacks")?.value;
  if (callbacks?.name === "ArrayExpression") return appended(script, callbacks, callback);
  if (callbacks === undefined && !given.some(({ keyword }) => keyword === "**")) {
    const list = call.getChild("ArgList");
    return list === null || list.lastChild?.name !== ")" ? null : appended(script, list, `callbacks=[${callback}]`);
  }
  if (assigned === null || !script.beginsLine(assigned.statement)) return null;
  const method = style === "lightning" ? "callbacks.append" : "add_callback";
  return script.linesAfter(assigned.statement.to, script.indentationAt(assigned.statement.from), [`${assigned.variable}.${method}(${callback})`]);
}

/** One more item before the closing bracket: on a line of its own where the last one has one. */
function appended(script: Script, list: SyntaxNode, item: string): TextEdit {
  const inside = children(list).slice(1, -1).filter(({ name }) => name !== "Comment" && name !== "⚠");
  const last = inside.at(-1);
  if (last === undefined) return { range: { start: list.to - 1, end: list.to - 1 }, text: item };
  const comma = last.name === "," ? last : null;
  const lines = script.text.slice(list.from, last.to);
  const ownLine = /[\r\n][ \t]*$/.test(script.text.slice(0, firstOnLine(inside, script)));
  const text = ownLine && /[\r\n]/.test(lines) ? `${script.lineBreak}${script.indentationAt(firstOnLine(inside, script))}${item}${comma === null ? "" : ","}` : ` ${item}`;
  return { range: { start: last.to, end: last.to }, text: comma === null ? `,${text}` : text };
}

/** Where the last argument begins: its keyword, or the value itself. */
function firstOnLine(inside: readonly SyntaxNode[], script: Script): number {
  const values = inside.at(-1)?.name === "," ? inside.slice(0, -1) : inside;
  let index = values.length - 1;
  while (index > 0 && values[index - 1]!.name !== ",") index--;
  return values[index]?.from ?? script.text.length;
}

export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
