import type { SyntaxNode } from "@lezer/common";
import type { TextEdit } from "../documents/located";
import { children, type Script } from "./script";

/** Local name → what it stands for: `pl` → `lightning.pytorch`, `Trainer` → `transformers.Trainer`. */
export function importedNames(script: Script): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of script.nodes("ImportStatement")) {
    const text = script.textOf(statement).replace(/#.*$/gm, " ").replace(/[()\\\s]+/g, " ").trim();
    const from = /^from (\S+) import (.*)$/.exec(text);
    for (const part of (from?.[2] ?? text.replace(/^import /, "")).split(",")) {
      const [name = "", local] = part.trim().split(" as ");
      const whole = from === null ? name : `${from[1] ?? ""}.${name}`;
      // `import a.b` binds `a`.
      if (local !== undefined) names.set(local, whole);
      else if (from === null) names.set(name.split(".")[0]!, name.split(".")[0]!);
      else names.set(name, whole);
    }
  }
  return names;
}

/** Whether anything is imported from that module. */
export function imports(script: Script, module: string): boolean {
  return [...importedNames(script).values()].some((whole) => whole.split(".").includes(module));
}

/** The import as a line of its own: after the imports at the top of the file, else after its first comments and doc string. */
export function importEdit(script: Script, line: string): TextEdit {
  let last: SyntaxNode | null = null;
  for (const statement of children(script.root)) {
    if (["FunctionDefinition", "ClassDefinition", "DecoratedStatement", "ForStatement", "WhileStatement", "WithStatement"].includes(statement.name)) break;
    if (statement.name === "ImportStatement" || statement.name === "StatementGroup" && statement.getChild("ImportStatement") !== null) last = statement;
  }
  if (last !== null) return script.linesAfter(last.to - (/\s*$/.exec(script.textOf(last))?.[0].length ?? 0), "", [line]);
  const first = children(script.root).find(({ name }) => name !== "Comment");
  const docString = first?.name === "ExpressionStatement" && ["String", "ContinuedString"].includes(first.firstChild?.name ?? "") ? first : null;
  if (docString !== null) return script.linesAfter(docString.to, "", [line]);
  const at = first === undefined ? script.text.length : script.text.lastIndexOf("\n", first.from) + 1;
  return { range: { start: at, end: at }, text: line + script.lineBreak };
}
