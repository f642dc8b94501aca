import type { SyntaxNode } from "@lezer/common";
import type { TextEdit } from "../documents/located";
import type { Recipe } from "./recipe";
import { ancestors, argumentsOf, children, endOf, type Script } from "./script";
import { escaped } from "./trainerCall";

/** Edits that call the recipe in a loop of the user's own, or why there are none. */
export type LoopEdits = { readonly edits: readonly TextEdit[] } | { readonly reason: string };

/** One statement that steps an optimizer, and where it stands. */
interface Step {
  readonly statement: SyntaxNode;
  /** The optimizer as the script names it: `optimizer`, `self.optimizer`. */
  readonly optimizer: string;
  /** The function that it stands in, else the script itself. */
  readonly scope: SyntaxNode;
  /** Loops of that scope around it, the outermost first. */
  readonly loops: readonly SyntaxNode[];
}

const OPTIMIZER_NAME = /(^|[._])(opt|optim|optimi[sz]er)(_\w+|\d*)$/i;
/** Optimizers by the names of their classes, for variables of other names. */
const OPTIMIZER_MADE = /\boptim\.|\b(SGD|Adam\w*|NAdam|RAdam|RMSprop|Adagrad|Adadelta|Adafactor|LBFGS|Lion|Lamb|Muon)\(/;
const MODEL_NAME = /^(self\.)?_?(model|net|network|module)$/;

export function loopEdits(script: Script, recipe: Recipe, variable: string): LoopEdits {
  const steps = script.nodes("CallExpression").flatMap((call) => stepOf(script, call));
  if (steps.length === 0) return { reason: "There is no call of an optimizer's step, and no Trainer of Lightning or Hugging Face." };
  if (new Set(steps.map(({ optimizer }) => optimizer)).size > 1) return { reason: "There is more than one optimizer: RankLens cannot know which one trains the layers." };
  const edits: TextEdit[] = [];
  for (const scope of new Set(steps.map((step) => step.scope.from))) {
    const found = scopeEdits(script, recipe, variable, steps.filter((step) => step.scope.from === scope));
    if ("reason" in found) return found;
    edits.push(...found.edits);
  }
  return { edits };
}

/** `optimizer.step()`, `scaler.step(optimizer)`; not a scheduler's. */
function stepOf(script: Script, call: SyntaxNode): Step[] {
  const callee = call.firstChild;
  const statement = call.parent;
  if (callee?.name !== "MemberExpression" || script.textOf(callee.lastChild!) !== "step" || statement === null) return [];
  if (statement.name !== "ExpressionStatement" && statement.name !== "AssignStatement") return [];
  const argument = argumentsOf(script, call)[0];
  const named = [argument?.keyword === null ? script.textOf(argument.value) : "", script.textOf(callee.firstChild!)];
  const optimizer = named.find((name) => isOptimizer(script, name));
  if (optimizer === undefined) return [];
  const around = ancestors(statement);
  const scope = around.find(({ name }) => name === "FunctionDefinition") ?? script.root;
  const loops = around.slice(0, around.findIndex((node) => node.from === scope.from && node.name === scope.name)).filter(({ name }) => name === "ForStatement" || name === "WhileStatement");
  return [{ statement: statement.parent?.name === "StatementGroup" ? statement.parent : statement, optimizer, scope, loops: loops.reverse() }];
}

function isOptimizer(script: Script, name: string): boolean {
  if (!/^[\w.[\]]+$/.test(name) || /sched/i.test(name)) return false;
  return OPTIMIZER_NAME.test(name) || assignments(script, script.root, name, false).some((statement) => OPTIMIZER_MADE.test(script.textOf(statement)));
}

/** Assignments to that name in the scope, in order. */
function assignments(script: Script, scope: SyntaxNode, name: string, flat = true): SyntaxNode[] {
  return script.nodes("AssignStatement", scope, flat).filter((statement) => {
    const parts = children(statement);
    const targets = parts.slice(0, parts.findIndex((part) => part.name === "AssignOp"));
    return targets.some((target) => script.textOf(target).split(/[(),\s]+/).includes(name));
  });
}

function scopeEdits(script: Script, recipe: Recipe, variable: string, steps: readonly Step[]): LoopEdits {
  const { optimizer, scope, loops } = steps[0]!;
  if (steps.some(({ statement }) => !script.beginsLine(statement))) return { reason: "The optimizer's step shares its line with the statement around it." };
  const made = assignments(script, scope, optimizer).filter(({ to }) => to <= steps[0]!.statement.from).at(-1);
  const model = modelOf(script, scope, optimizer, made);
  if (model === null) return { reason: "Which variable holds the model cannot be seen from the script." };
  const outer = loops.find(({ from }) => made === undefined || from >= made.to);
  if (outer === undefined) {
    if (made !== undefined || recipe.perEpoch) return { reason: "The loop over the batches is not where the optimizer steps." };
    return { edits: afterSteps(script, steps, `${recipe.className}.of(${model}, ${optimizer}).step()`) };
  }
  if (loops.some((loop) => !script.beginsLine(loop))) return { reason: "A loop around the optimizer's step shares its line with another statement." };
  // Where the optimizer comes from elsewhere the function may be called once an epoch: `of` makes one for all calls.
  const edits = [script.linesBefore(outer, [`${variable} = ${recipe.className}${made === undefined ? ".of" : ""}(${model}, ${optimizer})`])];
  if (recipe.perStep) edits.push(...afterSteps(script, steps, `${variable}.step()`));
  if (!recipe.perEpoch) return { edits };
  const batches = loops.at(-1)!;
  const epochs = isOverEpochs(script, batches);
  // A function that is called once an epoch, or a loop around: else the one call would come when all is over.
  const once = batches.from === outer.from && (made !== undefined || batches.name === "WhileStatement");
  if (!recipe.perStep && !epochs && once) return { reason: "There is no loop over epochs around the loop over the batches." };
  const end = script.afterComments(endOf(batches), script.indentationAt(batches.from));
  const inside = batches.getChild("Body");
  const indentation = script.indentationAt(epochs && inside !== null ? firstStatement(inside).from : batches.from);
  edits.push(script.linesAfter(end, indentation, [`${variable}.epoch_end()`]));
  return { edits };
}

function afterSteps(script: Script, steps: readonly Step[], line: string): TextEdit[] {
  return steps.map(({ statement }) => script.linesAfter(endOf(statement), script.indentationAt(statement.from), [line]));
}

/** `for epoch in …` with the step directly in it: every batch is an epoch. */
function isOverEpochs(script: Script, loop: SyntaxNode): boolean {
  const body = loop.getChild("Body");
  return body !== null && /^for\b[^:]*\bepochs?\b/i.test(script.text.slice(loop.from, body.from)) && !script.nodes("Body", loop).slice(1).some(({ prevSibling }) => prevSibling?.name === "else");
}

function firstStatement(body: SyntaxNode): SyntaxNode {
  return children(body).find(({ name }) => name !== ":" && name !== "Comment") ?? body;
}

/** The model as the scope names it: whose parameters the optimizer was given, else what is set to train, else by its name. */
function modelOf(script: Script, scope: SyntaxNode, optimizer: string, made: SyntaxNode | undefined): string | null {
  const list = scope.getChild("ParamList");
  const parameters = list === null ? [] : children(list).filter(({ name }) => name === "VariableName").map((node) => script.textOf(node));
  // An optimizer that is handed in may have other names elsewhere, and its model with it.
  const own = parameters.includes(optimizer) ? undefined : assignments(script, script.root, optimizer, false).at(-1);
  for (const statement of [made, own]) {
    const given = statement === undefined ? null : /([A-Za-z_][\w.]*)\.(?:named_)?parameters\(/.exec(script.textOf(statement));
    if (given !== null && given[1] !== "self") return given[1]!;
  }
  const text = script.textOf(scope);
  const trained = /(?<![\w.])([A-Za-z_][\w.]*)\.train\(\s*(?:True)?\s*\)/.exec(text);
  if (trained !== null && trained[1] !== "self") return trained[1]!;
  const candidates = [...parameters, ...script.nodes("AssignStatement", scope, true).flatMap((statement) => [script.textOf(statement.firstChild!)])];
  const named = candidates.find((name) => MODEL_NAME.test(name)) ?? (/(?<![\w.])self\._?(model|net|network)\b/.exec(text)?.[0] ?? null);
  return named !== null && new RegExp(`(?<![\\w.])${escaped(named)}\\b`).test(text) ? named : null;
}
