import type { RecipeAddition, RecipeId } from "../../shared/recipe";
import type { TextEdit } from "../documents/located";
import { importEdit, imports } from "./imports";
import { loopEdits } from "./plainLoop";
import { recipeOf, type Recipe } from "./recipe";
import { Script } from "./script";
import { callbackEdit, findTrainerCall } from "./trainerCall";

/**
 * Finds where a Python training script is to call a recipe. A Trainer comes before a plain loop, as its hooks see every step.
 * @param text the script, or a notebook's cell; it may be half-typed
 */
export function addRecipe(text: string, id: RecipeId): RecipeAddition {
  const recipe = recipeOf(id);
  const script = new Script(text);
  const file = { name: `${recipe.module}.py`, text: recipe.text };
  if (imports(script, recipe.module)) return { kind: "present" };
  const trainer = findTrainerCall(script);
  if (trainer !== null) {
    const callback = `${recipe.module}.${trainer.style === "lightning" ? "lightning_callback" : "trainer_callback"}()`;
    const edit = callbackEdit(script, trainer, callback);
    if (edit !== null) return { kind: "insert", style: trainer.style, edits: [importEdit(script, `import ${recipe.module}`), edit], file };
    return { kind: "paste", reason: "What callbacks the Trainer has is only known when the script runs.", snippet: callbackSnippet(recipe, callback), file };
  }
  const found = loopEdits(script, recipe, freeName(text, recipe.variable));
  if ("reason" in found) return { kind: "paste", reason: found.reason, snippet: loopSnippet(recipe), file };
  return { kind: "insert", style: "loop", edits: [importEdit(script, importLine(recipe)), ...found.edits], file };
}

/** The text with the edits done, for previews and tests. */
export function withEdits(text: string, edits: readonly TextEdit[]): string {
  const fromTheEnd = edits.map((edit, order) => ({ edit, order })).sort((a, b) => b.edit.range.start - a.edit.range.start || b.order - a.order);
  return fromTheEnd.reduce((edited, { edit }) => edited.slice(0, edit.range.start) + edit.text + edited.slice(edit.range.end), text);
}

function importLine({ module, className }: Recipe): string {
  return `from ${module} import ${className}`;
}

/** The recipe's variable, or a longer name where the script has one of that name. */
function freeName(text: string, variable: string): string {
  return new RegExp(`(?<![\\w.])${variable}\\b`).test(text) ? freeName(text, `${variable}_recipe`) : variable;
}

function loopSnippet(recipe: Recipe): string {
  return [
    importLine(recipe), "",
    `${recipe.variable} = ${recipe.className}(model, optimizer)  # before the loop over epochs`,
    ...(recipe.perStep ? [`${recipe.variable}.step()  # after each optimizer.step()`] : []),
    ...(recipe.perEpoch ? [`${recipe.variable}.epoch_end()  # after each epoch`] : []), "",
  ].join("\n");
}

function callbackSnippet({ module }: Recipe, callback: string): string {
  return `import ${module}\n\ncallbacks=[${callback}]  # one of the Trainer's arguments\n`;
}
