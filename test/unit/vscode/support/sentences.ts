import { readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { readText, repositoryFile } from "./manifest";

export interface Sentence {
  readonly text: string;
  /** Arguments that it is given. */
  readonly values: number;
  readonly file: string;
}

/** All sentences of the extension's sources that are looked up: first arguments of `t(…)` and `vscode.l10n.t(…)`. */
export function translatedSentences(): Sentence[] {
  const folder = readdirSync(repositoryFile("src/vscode"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return ["src/extension.ts", ...folder.map((name) => join("src/vscode", name))].flatMap(sentencesOf);
}

function sentencesOf(file: string): Sentence[] {
  const found: Sentence[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(vscode\.l10n\.)?t$/.test(node.expression.getText())) {
      const [first, ...values] = node.arguments;
      if (first === undefined || !ts.isStringLiteralLike(first)) throw new Error(`${file}: a sentence that is looked up must be a plain string: ${node.getText()}`);
      found.push({ text: first.text, values: values.length, file });
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(ts.createSourceFile(file, readText(file), ts.ScriptTarget.Latest, true), visit);
  return found;
}
