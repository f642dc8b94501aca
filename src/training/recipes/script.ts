import type { SyntaxNode } from "@lezer/common";
import { parser } from "@lezer/python";
import type { TextEdit } from "../documents/located";

/** A Python script that is edited line by line. Half-typed text is read as far as it goes: the parser recovers from errors. */
export class Script {
  readonly root: SyntaxNode;
  /** The line break of the first line. */
  readonly lineBreak: string;

  constructor(readonly text: string) {
    this.root = parser.parse(text).topNode;
    this.lineBreak = /\r\n|\n|\r/.exec(text)?.[0] ?? "\n";
  }

  textOf(node: SyntaxNode): string {
    return this.text.slice(node.from, node.to);
  }

  /** All nodes of that name below `within`, in order; nested functions and classes are left out where `flat`. */
  nodes(name: string, within: SyntaxNode = this.root, flat = false): SyntaxNode[] {
    const found: SyntaxNode[] = [];
    for (const child of children(within)) {
      if (child.name === name) found.push(child);
      if (flat && (child.name === "FunctionDefinition" || child.name === "ClassDefinition")) continue;
      found.push(...this.nodes(name, child, flat));
    }
    return found;
  }

  /** White space before the first character of the line in which `position` is. */
  indentationAt(position: number): string {
    return /^[ \t]*/.exec(this.text.slice(this.lineStart(position)))![0];
  }

  /** Whether nothing but white space precedes the statement on its line: only there can a line be put beside it. */
  beginsLine(statement: SyntaxNode): boolean {
    return this.text.slice(this.lineStart(statement.from), statement.from).trim() === "";
  }

  /** Lines after the one in which `position` is, which is part of the statement that ends there. */
  linesAfter(position: number, indentation: string, lines: readonly string[]): TextEdit {
    const at = position + this.text.slice(position).search(/\r|\n|$(?![^])/);
    return { range: { start: at, end: at }, text: lines.map((line) => this.lineBreak + indentation + line).join("") };
  }

  /** The end of a block's text: `position`, or that of the comments below it which are indented deeper than `indentation`. */
  afterComments(position: number, indentation: string): number {
    const below = /^[^\r\n]*((?:(?:\r\n|[\r\n])[ \t]*)*)(?:\r\n|[\r\n])([ \t]*)#/.exec(this.text.slice(position));
    if (below === null || below[2]!.length <= indentation.length) return position;
    return this.afterComments(position + below[0].length, indentation);
  }

  /** Lines before the statement, which begins its line. */
  linesBefore(statement: SyntaxNode, lines: readonly string[]): TextEdit {
    const at = this.lineStart(statement.from);
    const indentation = this.indentationAt(statement.from);
    return { range: { start: at, end: at }, text: lines.map((line) => indentation + line + this.lineBreak).join("") };
  }

  private lineStart(position: number): number {
    return Math.max(this.text.lastIndexOf("\n", position - 1), this.text.lastIndexOf("\r", position - 1)) + 1;
  }
}

export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

export function ancestors(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let parent = node.parent; parent !== null; parent = parent.parent) found.push(parent);
  return found;
}

/** Where a statement ends, without the blank lines and comments that the parser counts to its body. */
export function endOf(statement: SyntaxNode): number {
  const last = children(statement).filter(({ name }) => name !== "Comment" && name !== "⚠").at(-1);
  if (last === undefined) return statement.to;
  return /^(Body|StatementGroup)$|(Statement|Definition)$/.test(last.name) ? endOf(last) : last.to;
}

/** The arguments of a call: each with its keyword (null without, `*` or `**` for what is unpacked). */
export interface Argument {
  readonly keyword: string | null;
  readonly value: SyntaxNode;
}

export function argumentsOf(script: Script, call: SyntaxNode): Argument[] {
  const list = call.getChild("ArgList");
  const found: Argument[] = [];
  let keyword: string | null = null;
  for (const child of list === null ? [] : children(list)) {
    if (child.name === "*" || child.name === "**") keyword = child.name;
    else if (child.nextSibling?.name === "AssignOp") keyword = script.textOf(child);
    else if (!["(", ")", ",", "AssignOp", "Comment", "⚠"].includes(child.name)) {
      found.push({ keyword, value: child });
      keyword = null;
    }
  }
  return found;
}
